package main

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/deedrun/deed"
	"github.com/deedrun/deed/events"
	"github.com/deedrun/deed/orchestrator"
	"github.com/deedrun/deed/orchestrator/process"
	"github.com/deedrun/deed/queue"
)

// attendance is a process that is run here, to its end and its outputs.
type attendance struct {
	id      string
	out     string // directory for the outputs
	workers int
	idle    bool          // nothing is executed here
	lease   time.Duration // 0: the usual
	secrets string        // directory of those that its steps name
	read    []string      // where data may be read that lies elsewhere
	resume  string        // the command line that goes on with it
	collect string        // the command line that writes its outputs again

	// begin, if not nil, sees to it that the process has begun, with one server
	// of the folder after the other.
	begin func(ctx context.Context, r *deed.Runtime, p *progress) error
}

// attend follows a process to its end, and takes part in it, writes its
// outputs and says how it went.
func (a *app) attend(ctx context.Context, t attendance) error {
	began := time.Now()
	p := newProgress(a, t.id)
	r, result, err := a.toTheEnd(ctx, t, p)
	p.stop()
	if r != nil {
		defer r.Close()
	}
	switch {
	case ctx.Err() != nil:
		a.sayInterrupted(t, p.state.Version > 0)
		return errors.Join(errSaid, errInterrupted)
	case errors.Is(err, deed.ErrFailed), errors.Is(err, deed.ErrCancelled):
		a.stopInOrder(ctx, r)
		return a.endedBadly(p.state, err)
	case err != nil:
		return err
	}
	paths, err := result.Export(ctx, t.out)
	if err != nil {
		return a.notWritten(t, paths, err)
	}
	return a.report(ctx, result, t, paths, time.Since(began))
}

// sayInterrupted tells what becomes of a process that is not followed any more.
func (a *app) sayInterrupted(t attendance, begun bool) {
	if a.server != "" && begun {
		fmt.Fprintf(a.stderr, "\ninterrupted; %s goes on at %s. To follow it again, or to end it:\n  %s\n  %s\n",
			t.id, a.where(), t.resume, a.commandLine("cancel", t.id))
		return
	}
	fmt.Fprintf(a.stderr, "\ninterrupted; what is done is kept. To resume:\n  %s\n", t.resume)
}

// stopInOrder gives what was being executed a moment to end, and whoever asked
// for that its answer.
func (a *app) stopInOrder(ctx context.Context, r *deed.Runtime) {
	moment, cancel := context.WithTimeout(ctx, time.Second)
	defer cancel()
	r.Drain(moment)
}

// toTheEnd follows the process. If the server that it joined ends before, it
// goes on with the next one, or is that itself.
func (a *app) toTheEnd(ctx context.Context, t attendance, p *progress) (*deed.Runtime, *deed.Result, error) {
	o := deed.Options{Version: built().Version, Workers: t.workers, Lease: t.lease, SecretsDir: t.secrets, Read: t.read, Failpoint: failpoint()}
	if !t.idle {
		o.Handlers = handlers()
	}
	for {
		r, err := a.open(ctx, o)
		if err != nil {
			return nil, nil, err
		}
		a.sayUnfinished(ctx, r, t.id)
		attached, stop := a.whileServed(ctx, r)
		if t.begin != nil {
			err = begun(attached, r, func() error { return t.begin(attached, r, p) })
		}
		var result *deed.Result
		if err == nil {
			result, err = r.Wait(attached, t.id, p.update)
		}
		var unprepared *unpreparedError
		moved := errors.Is(context.Cause(attached), errServerMoved) || !r.Serving && isUnavailable(err) && !errors.As(err, &unprepared)
		stop()
		if err == nil || !moved || ctx.Err() != nil || errors.Is(err, deed.ErrFailed) || errors.Is(err, deed.ErrCancelled) {
			return r, result, err
		}
		r.Close()
		if a.server != "" { // it may be there, and what is behind it away
			settle(ctx)
		}
	}
}

// begun tries to begin until the event store is there: if it is elsewhere, it
// may be away for a while, and whoever serves the folder outlives that.
func begun(ctx context.Context, r *deed.Runtime, begin func() error) error {
	for {
		err := begin()
		if !r.Serving || !r.Patient || !errors.Is(err, events.ErrUnavailable) {
			return err
		}
		select {
		case <-ctx.Done():
			return err
		case <-time.After(time.Second / 4):
		}
	}
}

// sayUnfinished tells what else goes on now, since this process serves the folder.
func (a *app) sayUnfinished(ctx context.Context, r *deed.Runtime, id string) {
	if !r.Serving {
		return
	}
	ids, err := orchestrator.Unfinished(ctx, r.Events)
	if err != nil {
		return // what follows says it better
	}
	if some := rootsAmong(ids, id); some != "" {
		fmt.Fprintf(a.stderr, "going on with what was unfinished in %s: %s\n", a.where(), some)
	}
}

// unfinishedNamed is how many processes are named that go on.
const unfinishedNamed = 10

// rootsAmong is the IDs of processes, but for one's own and for those below others, of
// which there may be thousands.
func rootsAmong(ids []string, own string) string {
	const digest = 17 // of the ID of a child: what follows on that of the root, or its beginning
	above := map[string]bool{}
	for _, id := range append([]string{own}, ids...) {
		child := process.ChildID(process.Parent{Root: id})
		above[child[:len(child)-digest]] = true
	}
	roots := slices.DeleteFunc(slices.Clone(ids), func(id string) bool {
		return id == own || len(id) > digest && id[len(id)-digest] == '-' && above[id[:len(id)-digest]]
	})
	text := strings.Join(roots[:min(len(roots), unfinishedNamed)], ", ")
	if more := len(roots) - unfinishedNamed; more > 0 {
		text += fmt.Sprintf(" and %d more", more)
	}
	return text
}

func isUnavailable(err error) bool {
	return errors.Is(err, events.ErrUnavailable) || errors.Is(err, queue.ErrUnavailable)
}
