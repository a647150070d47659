package worker

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"runtime"
	"slices"
	"sync"
	"syscall"
	"time"

	"github.com/deedrun/deed/blob"
)

// Exit codes with a meaning, after sysexits.h: every other code but 0 is a
// failure worth another try.
const (
	exitPermanent = 65 // EX_DATAERR: another attempt is pointless
	exitRetry     = 75 // EX_TEMPFAIL
)

// program is one execution of a command.
type program struct {
	task   *Task
	name   string
	cmd    *exec.Cmd
	stdout *transcript
	stderr *transcript
}

func newProgram(t *Task, ws *Workspace) *program {
	name := fmt.Sprintf("program %q", clip(ws.Args[0]))
	if t.work.Run.Shell != "" {
		name = "script"
	}
	return &program{
		task:   t,
		name:   name,
		cmd:    &exec.Cmd{Path: ws.Path, Args: ws.Args, Env: append(slices.Clip(ws.Env), t.tools.guard.variable()), Dir: ws.Work, SysProcAttr: groupAttributes()},
		stdout: newTranscript(t, "stdout", blob.LogOut),
		stderr: newTranscript(t, "stderr", blob.LogErr),
	}
}

// run starts the program in a process group of its own and waits until it has
// ended. Whatever it left running in its group is killed.
func (p *program) run(ctx context.Context) error {
	// On Linux the program dies with the thread that started it, so that a
	// killed worker leaves nothing running; the thread must outlive the program.
	runtime.LockOSThread()
	defer runtime.UnlockOSThread()

	p.task.tools.guard.begin()
	printed, err := p.start()
	if err != nil {
		return err
	}
	pid := p.cmd.Process.Pid
	p.task.tools.guard.watch(pid)
	exited := make(chan struct{})
	interrupted := make(chan bool, 1)
	go func() { interrupted <- p.interrupt(ctx, pid, exited) }()

	// The process stays a zombie for a moment, so that the number of its group
	// cannot pass to another before the group is killed.
	unreaped := awaitExit(pid)
	var waitErr error
	if !unreaped {
		waitErr = p.cmd.Wait()
	}
	close(exited)
	stopped := <-interrupted
	killGroup(pid)
	p.task.tools.guard.release(pid)
	if unreaped {
		waitErr = p.cmd.Wait()
	}
	printed()
	return p.verdict(ctx, stopped, waitErr)
}

// start begins the program. printed waits for the rest of what it prints, not
// for ever: what left the process group may hold the pipes open.
func (p *program) start() (printed func(), err error) {
	var group sync.WaitGroup
	var ours, theirs []*os.File
	defer func() {
		for _, f := range theirs {
			_ = f.Close()
		}
		if err != nil {
			for _, f := range ours {
				_ = f.Close()
			}
		}
	}()
	for _, to := range []**os.File{new(*os.File), new(*os.File)} {
		r, w, err := os.Pipe()
		if err != nil {
			return nil, fmt.Errorf("start %s: %w", p.name, err)
		}
		*to = w
		ours, theirs = append(ours, r), append(theirs, w)
	}
	p.cmd.Stdout, p.cmd.Stderr = theirs[0], theirs[1]
	if err := p.cmd.Start(); err != nil {
		if errors.Is(err, syscall.E2BIG) {
			err = fmt.Errorf("%w: a parameter, the key or an argument is too large; a program finds them in $DEED_TASK_FILE too", err)
		}
		return nil, fmt.Errorf("start %s: %w", p.name, err)
	}
	for i, t := range []*transcript{p.stdout, p.stderr} {
		group.Go(func() { t.read(ours[i]) })
	}
	return func() {
		deadline := time.Now().Add(time.Second)
		for _, f := range ours {
			_ = f.SetReadDeadline(deadline)
		}
		group.Wait()
		for _, f := range ours {
			_ = f.Close()
		}
	}, nil
}

// interrupt ends the program when ctx does: SIGTERM to the group, and after
// the grace SIGKILL. It returns whether it did, once exited is closed.
func (p *program) interrupt(ctx context.Context, pid int, exited <-chan struct{}) bool {
	select {
	case <-exited:
		return false
	case <-ctx.Done():
	}
	terminateGroup(pid)
	grace := time.NewTimer(p.task.tools.grace)
	defer grace.Stop()
	select {
	case <-exited:
		return true
	case <-p.task.tools.hurry:
	case <-grace.C:
	}
	killGroup(pid)
	<-exited
	return true
}

// verdict turns how the program ended into the error of the task.
func (p *program) verdict(ctx context.Context, stopped bool, err error) error {
	said := p.said()
	if stopped {
		if said == "" {
			return ctx.Err()
		}
		return fmt.Errorf("%s was stopped%s", p.name, said)
	}
	var exit *exec.ExitError
	switch {
	case err == nil:
		return nil
	case !errors.As(err, &exit):
		return fmt.Errorf("%s: %w", p.name, err)
	case exit.ExitCode() == exitPermanent:
		return Permanent(fmt.Errorf("%s: exit code %d, which means that another attempt is pointless%s", p.name, exitPermanent, said))
	case exit.ExitCode() == exitRetry:
		return fmt.Errorf("%s: exit code %d, which asks for another attempt later%s", p.name, exitRetry, said)
	case exit.Exited():
		return fmt.Errorf("%s: exit code %d%s", p.name, exit.ExitCode(), said)
	}
	return fmt.Errorf("%s: ended by %w%s", p.name, err, said) // "signal: killed"
}

// said is what the program said last, to go on a sentence with.
func (p *program) said() string {
	if last := p.stderr.last(); last != "" {
		return "; the last lines of its standard error: " + last
	}
	if last := p.stdout.last(); last != "" {
		return "; the last lines of its standard output: " + last
	}
	return ""
}
