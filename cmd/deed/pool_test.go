package main

import (
	"bytes"
	"fmt"
	"math/rand/v2"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

// pool is worker processes of the real binary on one folder. The runs beside
// it execute nothing themselves.
type pool struct {
	t     *testing.T
	dir   string
	slots int

	mu      sync.Mutex
	workers map[int]*poolWorker // those alive, by process ID
	dead    map[int]time.Time   // when they were killed, by whomever
	mended  bool
	closed  bool
}

type poolWorker struct {
	cmd     *exec.Cmd
	stderr  bytes.Buffer  // to be read when it is over
	leaving bool          // it was asked to
	over    chan struct{} // closed when it has ended and was noted
}

// newPool starts n workers, which wait until somebody serves the folder. None
// outlives the test.
func newPool(t *testing.T, n, slots int) *pool {
	t.Helper()
	p := &pool{t: t, dir: t.TempDir(), slots: slots, workers: map[int]*poolWorker{}, dead: map[int]time.Time{}}
	require.NoError(t, os.Mkdir(filepath.Join(p.dir, ".deed"), 0o700)) // what is there can be waited for
	t.Cleanup(p.close)
	for range n {
		p.add()
	}
	return p
}

// mend replaces workers that die, as a supervisor would.
func (p *pool) mend() {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.mended = true
}

func (p *pool) add() int {
	p.t.Helper()
	p.mu.Lock()
	defer p.mu.Unlock()
	pid, err := p.start()
	require.NoError(p.t, err)
	return pid
}

// start is called with the lock.
func (p *pool) start() (int, error) {
	self, err := os.Executable()
	if err != nil {
		return 0, err
	}
	w := &poolWorker{cmd: exec.Command(self, "worker", "--concurrency", fmt.Sprint(p.slots)), over: make(chan struct{})}
	w.cmd.Stderr = &w.stderr
	w.cmd.Dir, w.cmd.Env = p.dir, append(os.Environ(), beDeed+"=1")
	if err := w.cmd.Start(); err != nil {
		return 0, err
	}
	pid := w.cmd.Process.Pid
	p.workers[pid] = w
	go p.attend(pid, w)
	return pid, nil
}

// attend waits for the end of a worker.
func (p *pool) attend(pid int, w *poolWorker) {
	defer close(w.over)
	_ = w.cmd.Wait() // how it ended is in its state
	p.mu.Lock()
	defer p.mu.Unlock()
	delete(p.workers, pid)
	switch status, _ := w.cmd.ProcessState.Sys().(syscall.WaitStatus); {
	case p.closed, w.leaving:
		return
	case !status.Signaled():
		p.t.Errorf("worker %d ended by itself (%s): %s", pid, w.cmd.ProcessState, &w.stderr)
		return
	}
	if _, noted := p.dead[pid]; !noted {
		p.dead[pid] = time.Now()
	}
	if p.mended {
		if _, err := p.start(); err != nil {
			p.t.Errorf("a worker was not replaced: %v", err)
		}
	}
}

// kill ends a worker as a failing machine would.
func (p *pool) kill(pid int) {
	p.t.Helper()
	p.mu.Lock()
	w := p.workers[pid]
	p.dead[pid] = time.Now()
	p.mu.Unlock()
	require.NotNil(p.t, w, "worker %d is gone already", pid)
	_ = w.cmd.Process.Kill()
	<-w.over
}

// leave ends a worker in good order.
func (p *pool) leave(pid int) {
	p.t.Helper()
	p.mu.Lock()
	w := p.workers[pid]
	if w != nil {
		w.leaving = true
	}
	p.mu.Unlock()
	require.NotNil(p.t, w, "worker %d is gone already", pid)
	require.NoError(p.t, w.cmd.Process.Signal(os.Interrupt))
	<-w.over
	require.True(p.t, w.cmd.ProcessState.Success(), "%s: %s", w.cmd.ProcessState, &w.stderr)
}

func (p *pool) signal(pid int, s os.Signal) {
	p.t.Helper()
	p.mu.Lock()
	defer p.mu.Unlock()
	require.Contains(p.t, p.workers, pid)
	require.NoError(p.t, p.workers[pid].cmd.Process.Signal(s))
}

func (p *pool) alive() []int {
	p.mu.Lock()
	defer p.mu.Unlock()
	var all []int
	for pid := range p.workers {
		all = append(all, pid)
	}
	slices.Sort(all)
	return all
}

func (p *pool) killedAt(pid int) (time.Time, bool) {
	p.mu.Lock()
	defer p.mu.Unlock()
	at, killed := p.dead[pid]
	return at, killed
}

func (p *pool) deaths() int {
	p.mu.Lock()
	defer p.mu.Unlock()
	return len(p.dead)
}

// holding picks one of the workers that execute a task of a process, by what
// their programs wrote; false: none does right now.
func (p *pool) holding(id string, random *rand.Rand) (int, bool) {
	p.t.Helper()
	alive := p.alive()
	var busy []int
	for _, e := range readLedger(p.t, p.dir, id) {
		if !e.ended && slices.Contains(alive, e.worker) {
			busy = append(busy, e.worker)
		}
	}
	if len(busy) == 0 {
		return 0, false
	}
	return busy[random.IntN(len(busy))], true
}

func (p *pool) close() {
	p.mu.Lock()
	p.closed = true
	all := make([]*poolWorker, 0, len(p.workers))
	for _, w := range p.workers {
		all = append(all, w)
	}
	p.mu.Unlock()
	for _, w := range all {
		_ = w.cmd.Process.Kill()
		<-w.over
	}
}
