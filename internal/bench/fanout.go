package bench

import (
	"context"
	"fmt"
	"path/filepath"
	"time"

	"github.com/deedrun/deed"
	"github.com/deedrun/deed/worker"
)

// FanoutParams are those of Fanout.
type FanoutParams struct {
	N       int  `json:"n"`       // tasks
	Workers int  `json:"workers"` // tasks at a time; 0: one a core
	Values  bool `json:"values"`  // each task writes a small value
}

// Fanout is one step of many tasks that do nothing.
func Fanout() Scenario {
	return Scenario{
		Name:     "fanout",
		Settings: durability(),
		Subjects: besideRaw(rawFanout, fanout),
	}
}

func rawFanout(ctx context.Context, dir string, p FanoutParams) (Measure, error) {
	m, _, err := rawLoop(ctx, dir, 1, p.N, 0)
	return m, err
}

const (
	fanoutQuiet = `{deed: v1, name: fanout, inputs: [in], steps: {work: {run: bench/noop, each: in}}}`
	fanoutValue = `{deed: v1, name: fanout, inputs: [in], steps: {work: {run: bench/value, each: in, out: [v]}}, outputs: [v]}`
)

// fanout times one process from the sending of its start to its end.
func fanout(ctx context.Context, dir string, p FanoutParams, alone bool) (Measure, error) {
	executed := newTally(p.N)
	handlers := worker.NewRegistry()
	worker.Handle(handlers, "bench/noop", func(_ context.Context, t *worker.Task) error {
		executed.note(t.Index())
		return nil
	})
	worker.Handle(handlers, "bench/value", func(_ context.Context, t *worker.Task) error {
		executed.note(t.Index())
		return t.Emit("v", t.Index())
	})
	definition := fanoutQuiet
	if p.Values {
		definition = fanoutValue
	}
	source, err := deed.Parse(definition)
	if err != nil {
		return Measure{}, err
	}
	r, err := deed.Open(ctx, deed.Options{Dir: filepath.Join(dir, "deed"), Handlers: handlers, Workers: p.Workers, Alone: alone, Log: warnings()})
	if err != nil {
		return Measure{}, err
	}
	defer r.Close()
	began := time.Now()
	start, err := r.Prepare(ctx, "fanout", deed.Job{Source: source, Inputs: map[string]deed.Input{"in": numbers(p.N)}}, nil)
	if err != nil {
		return Measure{}, err
	}
	also := map[string]float64{"import_seconds": time.Since(began).Seconds(), "import_memory_bytes": float64(peakMemory())}
	forgetPeak() // a list of a million values is large in who imports it, and nowhere else

	clock := startClock()
	if _, err := r.Start(ctx, start); err != nil {
		return Measure{}, err
	}
	result, err := r.Wait(ctx, start.ID, nil)
	if err != nil {
		return Measure{}, err
	}
	m := clock.stop(int64(p.N))
	if confirmed := result.State.Steps()[0].Confirmed; confirmed != p.N {
		return Measure{}, fmt.Errorf("%d of %d tasks were confirmed", confirmed, p.N)
	}
	if err := executed.check(); err != nil {
		return Measure{}, err
	}
	if p.Values {
		if err := checkValues(ctx, result, "v", p.N); err != nil {
			return Measure{}, err
		}
	}
	m.Invoked = executed.calls.Load()
	m.Also = also
	return m, nil
}

// numbers are n small values.
func numbers(n int) deed.Input {
	values := make([]any, n)
	for i := range values {
		values[i] = i
	}
	return deed.Values(values...)
}

// checkValues is an error if a name does not hold the numbers up to n.
func checkValues(ctx context.Context, result *deed.Result, name string, n int) error {
	at := 0
	for part, err := range result.Parts(ctx, name) {
		if err != nil {
			return err
		}
		if string(part.Value) != fmt.Sprint(at) {
			return fmt.Errorf("value %d of %d is %s", at, n, part.Value)
		}
		at++
	}
	if at != n {
		return fmt.Errorf("%d of %d values are there", at, n)
	}
	return nil
}
