package worker

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"slices"
	"time"

	"github.com/deedrun/deed/blob"
)

// Exit codes with a meaning, after sysexits.h: every other code but 0 is a
// failure worth another try.
const (
	exitPermanent = 65 // EX_DATAERR: another attempt is pointless
	exitRetry     = 75 // EX_TEMPFAIL
)

// started is the program of a workspace, on its way.
func (t *Task) start(ws *Workspace, fed bool) (*launched, error) {
	name := fmt.Sprintf("program %q", clip(ws.Args[0]))
	if t.work.Run.Shell != "" {
		name = "script"
	}
	cmd := &exec.Cmd{
		Path: ws.Path, Args: ws.Args, Dir: ws.Work, SysProcAttr: groupAttributes(),
		Env: append(slices.Clip(ws.Env), t.guard.variable()),
	}
	if err := confine(cmd, t.work.Limits, fed); err != nil {
		return nil, fmt.Errorf("start %s: %w", name, err)
	}
	return t.launch(name, cmd, fed)
}

// runOnce starts the program and waits until it has ended.
func (t *Task) runOnce(ctx context.Context, ws *Workspace) error {
	p, err := t.start(ws, false)
	if err != nil {
		return err
	}
	defer p.close()
	printed := t.printing(p)
	said := newEvents(t, p.events)
	listened := make(chan struct{})
	go func() {
		defer close(listened)
		said.follow()
	}()
	stopped := p.await(ctx)
	deadline := time.Now().Add(printedWithin)
	_ = p.events.SetReadDeadline(deadline)
	printed.until(deadline)
	<-listened
	return p.verdict(ctx, t, ending{stopped: stopped, said: printed.said(), failed: said.failed})
}

// printedWithin is how long the rest of what a program prints is waited for once
// it is over: what left the process group may hold the pipes open.
const printedWithin = time.Second

// printing takes what a program prints.
type printing struct {
	stdout, stderr *transcript
	files          []*os.File
	read           chan struct{} // a token for each stream that is read to its end
}

func (t *Task) printing(p *launched) *printing {
	w := &printing{
		stdout: newTranscript(t, "stdout", blob.LogOut), stderr: newTranscript(t, "stderr", blob.LogErr),
		files: []*os.File{p.stdout, p.stderr}, read: make(chan struct{}, 2),
	}
	for i, to := range []*transcript{w.stdout, w.stderr} {
		go func() {
			to.read(w.files[i])
			w.read <- struct{}{}
		}()
	}
	return w
}

// until stops reading at a deadline, or earlier at the end.
func (w *printing) until(deadline time.Time) {
	for _, f := range w.files {
		_ = f.SetReadDeadline(deadline)
	}
	for range w.files {
		<-w.read
	}
	w.stdout.end()
	w.stderr.end()
}

// pause stops reading a program that goes on, once all is taken that it has
// printed by now.
func (w *printing) pause() {
	for _, f := range w.files {
		_ = f.SetReadDeadline(time.Unix(1, 0))
	}
	for range w.files {
		<-w.read
	}
	for i, to := range []*transcript{w.stdout, w.stderr} {
		_ = w.files[i].SetReadDeadline(time.Time{})
		drain(w.files[i], to.next)
		to.end()
	}
}

// said is what the program said last, to go on a sentence with.
func (w *printing) said() string {
	if last := w.stderr.last(); last != "" {
		return "; the last lines of its standard error: " + last
	}
	if last := w.stdout.last(); last != "" {
		return "; the last lines of its standard output: " + last
	}
	return ""
}

// ending is what is known of a program that is over beside its exit code.
type ending struct {
	stopped bool   // since the context ended
	said    string // what it said last
	failed  *event // the failure that it told
}

// verdict turns how the program ended into the error of the task.
func (p *launched) verdict(ctx context.Context, t *Task, e ending) error {
	if e.stopped {
		if e.said == "" {
			return ctx.Err()
		}
		return fmt.Errorf("%s was stopped%s", p.name, e.said)
	}
	var exit *exec.ExitError
	switch {
	case e.failed != nil && (p.err == nil || p.state.Exited()):
		return e.failed.failure(p.name)
	case p.err == nil:
		return nil
	case !errors.As(p.err, &exit):
		return fmt.Errorf("%s: %w", p.name, p.err)
	case exit.ExitCode() == exitPermanent:
		return Permanent(fmt.Errorf("%s: exit code %d, which means that another attempt is pointless%s", p.name, exitPermanent, e.said))
	case exit.ExitCode() == exitRetry:
		return fmt.Errorf("%s: exit code %d, which asks for another attempt later%s", p.name, exitRetry, e.said)
	}
	how := fmt.Sprintf("exit code %d", exit.ExitCode())
	if !exit.Exited() {
		how = fmt.Sprintf("ended by %v", p.err) // "signal: killed"
	}
	return fmt.Errorf("%s: %s%s", p.name, beyond(t.work.Limits, exit.ProcessState, how, e.said), e.said)
}
