package bench

import (
	"context"
	"fmt"
	"time"

	"github.com/deedrun/deed"
	"github.com/deedrun/deed/internal/natsconn"
	"github.com/deedrun/deed/worker"
)

// coldParams are those of coldSteps.
type coldParams struct {
	Dir   string    `json:"dir"`
	Done  int       `json:"done"`  // so many tasks return; those after them do not
	Alone bool      `json:"alone"` // one task a message
	Began time.Time `json:"began"` // just before this process was made
}

// coldSteps are what the processes do of which Coldstart consists. It is no
// scenario for people.
func coldSteps() Scenario {
	return Scenario{Name: "coldstart-steps", Subjects: []Subject{
		by("server", startServer),
		by("begin", startEmpty),
		by("fill", fillHistory),
		by("again", startAgain),
	}}
}

// openTasks is how many tasks of a history are left to do.
const openTasks = 100

const coldID = "cold"

// lap is the measure of a process that has come to what it was started for, at
// some moment after another that was of interest.
func (p coldParams) lap(born, opened time.Time) Measure {
	m := Measure{Seconds: time.Since(p.Began).Seconds(), CPU: cpuTime().Seconds()}
	m.Also = map[string]float64{"exec_seconds": born.Sub(p.Began).Seconds(), "open_seconds": opened.Sub(born).Seconds()}
	return m
}

// startServer is until an embedded server takes connections.
func startServer(_ context.Context, _ string, p coldParams) (Measure, error) {
	born := time.Now()
	server, err := natsconn.Start(natsconn.ServerOptions{Dir: p.Dir})
	if err != nil {
		return Measure{}, err
	}
	defer server.Close()
	return p.lap(born, time.Now()), nil
}

// coldRuntime is a runtime whose tasks say that they are executed.
type coldRuntime struct {
	*deed.Runtime
	first chan struct{} // has one entry once a task is executed that does not return
}

func (p coldParams) open(ctx context.Context) (coldRuntime, error) {
	first := make(chan struct{}, 1)
	handlers := worker.NewRegistry()
	worker.Handle(handlers, "bench/open", func(ctx context.Context, t *worker.Task) error {
		if t.Index() < p.Done {
			return nil
		}
		select {
		case first <- struct{}{}:
		default:
		}
		<-ctx.Done() // when the runtime closes, so that the task is handed back
		return context.Cause(ctx)
	})
	r, err := deed.Open(ctx, deed.Options{Dir: p.Dir, Handlers: handlers, Alone: p.Alone, Log: warnings()})
	return coldRuntime{r, first}, err
}

// submit starts a process of n tasks.
func (r coldRuntime) submit(ctx context.Context, n int) error {
	source, err := deed.Parse(`{deed: v1, name: cold, inputs: [in], steps: {work: {run: bench/open, each: in}}}`)
	if err != nil {
		return err
	}
	return r.Submit(ctx, coldID, deed.Job{Source: source, Inputs: map[string]deed.Input{"in": numbers(n)}})
}

// executed is until the first task that does not return is executed.
func (r coldRuntime) executed(ctx context.Context, p coldParams, born, opened time.Time) (Measure, error) {
	select {
	case <-r.first:
		return p.lap(born, opened), nil
	case <-ctx.Done():
		return Measure{}, context.Cause(ctx)
	}
}

// startEmpty is until a task is executed of a process that is submitted first.
func startEmpty(ctx context.Context, _ string, p coldParams) (Measure, error) {
	born := time.Now()
	p.Done = 0
	r, err := p.open(ctx)
	if err != nil {
		return Measure{}, err
	}
	defer r.Close()
	opened := time.Now()
	if err := r.submit(ctx, 1); err != nil {
		return Measure{}, err
	}
	return r.executed(ctx, p, born, opened)
}

// startAgain is until a task is executed of a process that is there.
func startAgain(ctx context.Context, _ string, p coldParams) (Measure, error) {
	born := time.Now()
	r, err := p.open(ctx)
	if err != nil {
		return Measure{}, err
	}
	defer r.Close()
	return r.executed(ctx, p, born, time.Now())
}

// fillHistory leaves a process all of whose tasks are done but the last ones.
func fillHistory(ctx context.Context, _ string, p coldParams) (Measure, error) {
	r, err := p.open(ctx)
	if err != nil {
		return Measure{}, err
	}
	defer r.Close()
	if err := r.submit(ctx, p.Done+openTasks); err != nil {
		return Measure{}, err
	}
	for state, err := range r.Follow(ctx, coldID) {
		if err != nil {
			return Measure{}, err
		}
		confirmed := state.Steps()[0].Confirmed
		if state.Ended() || confirmed > p.Done {
			return Measure{}, fmt.Errorf("%d tasks were confirmed instead of %d", confirmed, p.Done)
		}
		if confirmed == p.Done {
			return Measure{}, nil
		}
	}
	return Measure{}, context.Cause(ctx)
}
