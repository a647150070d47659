// Package natsproc runs a NATS server as an operating-system process of its
// own, for tests that kill it.
//
// There is no other program to run: the test binary runs itself. So a test
// package that starts a server hands its process over first:
//
//	func init() { natsproc.Serve() }
//
// The process serves as [natsconn.Start] does, with the settings of production,
// until it is killed or its standard input ends, which it does with the test.
package natsproc

import (
	"bufio"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"strings"

	"github.com/deedrun/deed/internal/natsconn"
)

// variable is the environment variable that makes a process a server; its
// value is Options as JSON.
const variable = "DEED_TEST_NATS_SERVER"

// Options are the settings of a server process.
type Options struct {
	Dir    string   `json:"dir"`    // where streams are stored
	Listen string   `json:"listen"` // host:port
	Token  string   `json:"token"`  // what clients present
	Under  []string `json:"-"`      // a program and its arguments to run the server under, such as strace

	// Node, if set, makes it one of a cluster.
	Node *Node `json:"node,omitempty"`
}

// Node is a server's place in a cluster.
type Node struct {
	Name   string   `json:"name"`   // of the server, which differs from the others'
	Listen string   `json:"listen"` // host:port for the other nodes
	Routes []string `json:"routes"` // host:port of all nodes
}

// Serve makes this process a server and never returns, if it was started as
// one; else it does nothing.
func Serve() {
	settings, asked := os.LookupEnv(variable)
	if !asked {
		return
	}
	status := 0
	if err := serve([]byte(settings)); err != nil {
		fmt.Fprintln(os.Stderr, err)
		status = 1
	}
	os.Exit(status) //nolint:forbidigo // this is the main of a process of its own
}

func serve(settings []byte) error {
	var o Options
	if err := json.Unmarshal(settings, &o); err != nil {
		return err
	}
	if o.Node != nil {
		return serveNode(o)
	}
	server, err := natsconn.Start(natsconn.ServerOptions{Dir: o.Dir, Listen: o.Listen, Token: o.Token})
	if err != nil {
		return err
	}
	defer server.Close()
	fmt.Fprintln(os.Stdout, server.URL())
	_, err = io.Copy(io.Discard, os.Stdin)
	return err
}

// Process is a server. It is used by one goroutine at a time.
type Process struct {
	options Options
	url     string
	cmd     *exec.Cmd
	input   io.Closer
	said    *strings.Builder // on its standard error
}

// Start starts a server and returns when it takes connections. It is killed
// when ctx ends.
func Start(ctx context.Context, o Options) (*Process, error) {
	p := &Process{options: o}
	return p, p.Again(ctx)
}

// Again starts the server again after its end, at the same address and in the
// same directory.
func (p *Process) Again(ctx context.Context) error {
	if err := p.start(ctx); err != nil {
		return fmt.Errorf("start a server process in %q: %w", p.options.Dir, err)
	}
	p.options.Listen = strings.TrimPrefix(p.url, "nats://")
	return nil
}

func (p *Process) start(ctx context.Context) error {
	self, err := os.Executable()
	if err != nil {
		return err
	}
	settings, err := json.Marshal(p.options)
	if err != nil {
		return err
	}
	args := append(append([]string{}, p.options.Under...), self)
	p.said = &strings.Builder{}
	p.cmd = exec.CommandContext(ctx, args[0], args[1:]...)
	p.cmd.Env = append(os.Environ(), variable+"="+string(settings))
	p.cmd.Stderr = p.said
	if p.input, err = p.cmd.StdinPipe(); err != nil {
		return err
	}
	output, err := p.cmd.StdoutPipe()
	if err != nil {
		return err
	}
	if err := p.cmd.Start(); err != nil {
		return err
	}
	url, err := bufio.NewReader(output).ReadString('\n')
	if err != nil {
		return fmt.Errorf("it ended before it served: %w: %s", errors.Join(err, p.cmd.Wait()), p.said)
	}
	p.url = strings.TrimSpace(url)
	return nil
}

// URL is where clients find it, before and after it was started again.
func (p *Process) URL() string { return p.url }

// Signal sends it a signal, such as one that makes it stand still.
func (p *Process) Signal(s os.Signal) error { return p.cmd.Process.Signal(s) }

// Kill ends it as a crash does, with SIGKILL, and returns when it is gone.
func (p *Process) Kill() error {
	if err := p.cmd.Process.Kill(); err != nil {
		return fmt.Errorf("kill the server process: %w: %s", err, p.said)
	}
	var killed *exec.ExitError
	if err := p.cmd.Wait(); !errors.As(err, &killed) {
		return fmt.Errorf("kill the server process: it had ended by itself: %w: %s", err, p.said)
	}
	return nil
}

// Stop ends it in good order and returns when everything is on disk.
func (p *Process) Stop() error {
	err := p.input.Close()
	if err := errors.Join(err, p.cmd.Wait()); err != nil {
		return fmt.Errorf("stop the server process: %w: %s", err, p.said)
	}
	return nil
}
