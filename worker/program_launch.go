package worker

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"runtime"
	"sync"
	"syscall"
	"time"
)

// eventsFile is the number of the open file by which a program says what is not
// for people to read: $DEED_EVENTS.
const eventsFile = 3

// launched is a program that runs, in a process group of its own, and the pipes
// to it. Whatever it leaves running in its group is killed when it ends.
type launched struct {
	name  string // for people
	tools *tools

	stdout, stderr, events *os.File // what it says
	stdin                  *os.File // nil: it is empty

	mu   sync.Mutex
	pid  int // 0: it is over, and the number may be another's
	over chan struct{}

	// Once over is closed:
	err   error // of exec.Cmd.Wait
	state *os.ProcessState
}

// launch starts a program. fed gives it a pipe as standard input.
func (t *tools) launch(name string, cmd *exec.Cmd, fed bool) (*launched, error) {
	p := &launched{name: name, tools: t, over: make(chan struct{})}
	theirs, err := p.pipes(cmd, fed)
	defer closeAll(theirs...)
	if err == nil {
		t.guard.begin()
		started := make(chan error)
		go p.live(cmd, started)
		err = <-started
	}
	if err != nil {
		p.close()
		return nil, fmt.Errorf("start %s: %w", name, err)
	}
	return p, nil
}

// pipes makes them. theirs are the ends of the program.
func (p *launched) pipes(cmd *exec.Cmd, fed bool) (theirs []*os.File, err error) {
	var events *os.File
	for _, pipe := range []struct{ ours, theirs **os.File }{{&p.stdout, new(*os.File)}, {&p.stderr, new(*os.File)}, {&p.events, &events}} {
		if *pipe.ours, *pipe.theirs, err = os.Pipe(); err != nil {
			return theirs, err
		}
		theirs = append(theirs, *pipe.theirs)
	}
	cmd.Stdout, cmd.Stderr = theirs[0], theirs[1]
	if runtime.GOOS != "windows" { // which passes no further files on
		cmd.ExtraFiles = []*os.File{events}
	}
	if fed {
		r, w, err := os.Pipe()
		if err != nil {
			return theirs, err
		}
		p.stdin, cmd.Stdin = w, r
		theirs = append(theirs, r)
	}
	return theirs, nil
}

// live starts the program and stays until it has ended. On Linux a program dies
// with the thread that started it, so that a killed worker leaves nothing
// running: the thread has to outlive the program.
func (p *launched) live(cmd *exec.Cmd, started chan<- error) {
	runtime.LockOSThread()
	defer runtime.UnlockOSThread()
	if err := cmd.Start(); err != nil {
		if errors.Is(err, syscall.E2BIG) {
			err = fmt.Errorf("%w: a parameter, the key or an argument is too large; a program finds them in $DEED_TASK_FILE too", err)
		}
		started <- err
		return
	}
	pid := cmd.Process.Pid
	p.pid = pid
	p.tools.guard.watch(pid)
	started <- nil

	// The process stays a zombie for a moment, so that the number of its group
	// cannot pass to another before the group is killed.
	unreaped := awaitExit(pid)
	if !unreaped {
		p.err = cmd.Wait()
	}
	p.mu.Lock()
	killGroup(pid)
	p.pid = 0
	p.mu.Unlock()
	p.tools.guard.release(pid)
	if unreaped {
		p.err = cmd.Wait()
	}
	p.state = cmd.ProcessState
	close(p.over)
}

// signal does something to the group, unless it is over.
func (p *launched) signal(send func(pid int)) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.pid != 0 {
		send(p.pid)
	}
}

// await waits until the program is over, and ends it when ctx ends. It returns
// whether it did.
func (p *launched) await(ctx context.Context) bool {
	select {
	case <-p.over:
		return false
	case <-ctx.Done():
	}
	p.end()
	return true
}

// end ends the program: SIGTERM to the group, and after the grace SIGKILL.
func (p *launched) end() {
	p.signal(terminateGroup)
	grace := time.NewTimer(p.tools.grace)
	defer grace.Stop()
	select {
	case <-p.over:
		return
	case <-p.tools.hurry:
	case <-grace.C:
	}
	p.kill()
}

func (p *launched) kill() {
	p.signal(killGroup)
	<-p.over
}

// close lets go of the pipes. The program is over, or has not started.
func (p *launched) close() { closeAll(p.stdout, p.stderr, p.events, p.stdin) }

func closeAll(files ...*os.File) {
	for _, f := range files {
		if f != nil {
			_ = f.Close() // a pipe: nothing is lost
		}
	}
}
