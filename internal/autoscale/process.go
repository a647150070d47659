package autoscale

import (
	"fmt"
	"io"
	"os/exec"
	"syscall"
	"time"
)

// Process is a worker that runs.
type Process interface {
	ID() int      // the number by which the system knows it
	Drain() error // asks it to leave in good order; once
	Kill() error  // ends it at once
	Wait() error  // until it has ended: how; once
}

// Command starts workers as processes of this machine. None outlives whoever
// started it by more than it takes to leave in good order, however that one
// ended: its standard input is a pipe that ends then, and a worker that is told
// so leaves. It gets a process group of its own, so that an interrupt from the
// terminal reaches only us, and it is drained once, not twice.
type Command struct {
	Path string
	Args []string
	Env  []string  // all of their environment; nil: that of this process
	Log  io.Writer // takes what they print, line by line, each with the number of its process; used by one at a time
}

// outputDelay is how long a worker's output is waited for when it has ended:
// something that it started may hold on to it.
const outputDelay = 2 * time.Second

// Start starts one more.
func (c Command) Start() (Process, error) {
	cmd := exec.Command(c.Path, c.Args...) //nolint:noctx // who stops it, and how, is the supervisor's
	cmd.SysProcAttr, cmd.Env = ownGroup(), c.Env
	cmd.WaitDelay = outputDelay
	log := &lines{to: c.Log}
	cmd.Stdout, cmd.Stderr = log, log
	if _, err := cmd.StdinPipe(); err != nil { // cmd keeps the other end open until Wait returns
		return nil, fmt.Errorf("start a worker: %w", err)
	}
	log.mu.Lock() // until it is known what its lines begin with
	defer log.mu.Unlock()
	if err := cmd.Start(); err != nil {
		return nil, fmt.Errorf("start a worker: %w", err)
	}
	log.prefix = fmt.Sprintf("[%d] ", cmd.Process.Pid)
	return &child{cmd: cmd, log: log}, nil
}

type child struct {
	cmd *exec.Cmd
	log *lines
}

func (c *child) ID() int      { return c.cmd.Process.Pid }
func (c *child) Drain() error { return c.cmd.Process.Signal(syscall.SIGTERM) }
func (c *child) Kill() error  { return c.cmd.Process.Kill() }

func (c *child) Wait() error {
	err := c.cmd.Wait()
	c.log.flush()
	return err
}
