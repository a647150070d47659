package worker

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"time"
)

// runKept gives the task to a program that is kept alive. Its directory has the
// inputs and the outputs; the files of the definition lie in that of the program.
func (t *Task) runKept(ctx context.Context, dir string) error {
	ws, err := t.layInputs(ctx, dir)
	if err != nil {
		return err
	}
	line, err := t.line(ws)
	if err != nil {
		return fmt.Errorf("tell the program its task: %w", err)
	}
	for {
		p, err := t.kept.take(ctx, t)
		if err != nil {
			return err
		}
		err = p.execute(ctx, t, line)
		var failed *event
		switch {
		case err == nil:
			t.kept.give(p)
			return t.collectOutputs(ws.Out)
		case errors.As(err, &failed):
			t.kept.give(p)
			return failed.failure(p.name)
		}
		t.kept.discard(p)
		// It ended while it had nothing to do, and has heard nothing of this task.
		if errors.Is(err, errUnheard) && p.tasks > 1 && ctx.Err() == nil {
			continue
		}
		return err
	}
}

// line is the task on one line.
func (t *Task) line(ws *Workspace) ([]byte, error) {
	f := t.file(ws)
	f.ID = t.execution()
	text, err := json.Marshal(f)
	return append(text, '\n'), err
}

var (
	errUnheard  = errors.New("it did not take the task")
	errNonsense = errors.New("its answer makes no sense")
)

// Error makes a failure that a program told an error, which leaves the program as it was.
func (e *event) Error() string { return *e.Failed }

// execute feeds the program a task and waits for the answer. Any error but an
// *event means that the program is of no use any more.
func (p *kept) execute(ctx context.Context, t *Task, line []byte) error {
	printed := t.printing(p.launched)
	said := &events{task: t, lines: p.lines}
	answer := make(chan error, 1)
	go func() { answer <- p.ask(said, t.execution(), line) }()
	var err error
	stopped := false
	select {
	case err = <-answer:
	case <-p.over:
		err = p.lastWord(answer)
	case <-ctx.Done():
		stopped = true
		p.end()
		_ = p.lastWord(answer)
	}
	var failed *event
	if !stopped && (err == nil || errors.As(err, &failed)) {
		printed.pause()
		return err
	}
	if !stopped && !errors.Is(err, errNonsense) {
		p.expectEnd()
	}
	itself := !stopped && ended(p.over)
	p.kill()
	printed.until(time.Now().Add(printedWithin))
	switch {
	case errors.Is(err, errNonsense):
		return fmt.Errorf("%s was killed: %w%s", p.name, err, printed.said())
	case errors.Is(err, errUnheard) && p.tasks > 1:
		return err
	case !stopped && !itself && errors.Is(err, errUnheard):
		return fmt.Errorf("%s was killed: it closed its standard input, and no task can reach it any more%s", p.name, printed.said())
	case !stopped && !itself:
		return fmt.Errorf("%s was killed: it closed $DEED_EVENTS, and no answer can come any more%s", p.name, printed.said())
	}
	if err := p.verdict(ctx, t, ending{stopped: stopped, said: printed.said()}); err != nil {
		return err
	}
	return fmt.Errorf("%s ended with exit code 0 and without an answer: with keep it has to write one to $DEED_EVENTS for every task%s", p.name, printed.said())
}

// ask writes the task and heeds what the program says, until its answer. It ends
// at the latest when the pipes get a deadline.
func (p *kept) ask(said *events, id string, line []byte) error {
	if _, err := p.stdin.Write(line); err != nil {
		return fmt.Errorf("%w: %w", errUnheard, err)
	}
	for {
		got, err := said.next()
		switch {
		case errors.Is(err, errNotAnEvent):
			return fmt.Errorf("%w: %w", errNonsense, err)
		case err != nil:
			return err
		case !got.Done && got.Failed == nil:
			if got.ID == "" || got.ID == id { // else it comes late, from a thread perhaps
				said.heed(got)
			}
		case got.ID != id:
			return fmt.Errorf("%w: it is for %q, and the task has the id %q", errNonsense, clip(got.ID), id)
		case got.Done && got.Failed != nil:
			return fmt.Errorf("%w: it says that the task is done, and that it failed", errNonsense)
		case got.Failed != nil:
			return &got
		default:
			return nil
		}
	}
}

// lastWord is the answer of a program that is over: it may have given one before.
func (p *kept) lastWord(answer <-chan error) error {
	deadline := time.Now().Add(printedWithin)
	_ = p.stdin.SetWriteDeadline(deadline)
	_ = p.events.SetReadDeadline(deadline)
	return <-answer
}

// expectEnd waits a moment for a program that has let go of its pipes, as the
// kernel does before it says that a program is over.
func (p *kept) expectEnd() {
	moment := time.NewTimer(printedWithin)
	defer moment.Stop()
	select {
	case <-p.over:
	case <-moment.C:
	}
}
