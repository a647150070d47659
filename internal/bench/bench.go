// Package bench measures deed, and beside it, in the same run, what it is
// measured against: the same work done without an orchestrator.
//
// A [Scenario] is one kind of work, done by several subjects in turn. Each
// subject of each round is an operating-system process of its own, with a folder
// of its own, so that what it used of memory, processor and disk is its alone:
//
//	Plan.Run ──► child: raw ──► child: single ──► child: ranges ──► next round
//	                │ Measure       │                 │
//	                └──────────► Result: medians, and ratios to the first subject
//
// A figure of another run, hour or machine is no measure: only the ratios of one
// run are. What is timed is the work alone; starting, importing and checking are
// reported apart or not at all. A subject that did not do all of its work, and
// each piece once, is an error and no figure.
package bench

import (
	"context"
	"encoding/json"
	"fmt"
	"slices"
	"time"

	"github.com/deedrun/deed/internal/bench/raw"
)

// Scenario is a kind of work. The ratios are those to its first subject.
type Scenario struct {
	Name     string
	Subjects []Subject
	Settings map[string]string // what all subjects have in common that decides about speed
}

// Subject does the work of a scenario its own way. Its folder is empty and
// removed afterwards.
type Subject struct {
	Name string
	run  func(ctx context.Context, dir string, params json.RawMessage) (Measure, error)
}

// by is the subject of a name that does the work of its parameters by run.
func by[P any](name string, run func(ctx context.Context, dir string, p P) (Measure, error)) Subject {
	return Subject{name, func(ctx context.Context, dir string, raw json.RawMessage) (Measure, error) {
		var p P
		if err := json.Unmarshal(raw, &p); err != nil {
			return Measure{}, fmt.Errorf("read the parameters of %s: %w", name, err)
		}
		return run(ctx, dir, p)
	}}
}

// scenarios are all that a child process may be told to do.
func scenarios() []Scenario {
	return []Scenario{Fanout(), Chain(), WordCount(), Many(), Coldstart(), coldSteps()}
}

// find is a subject by its name and that of its scenario.
func find(scenario, subject string) (Subject, error) {
	for _, s := range scenarios() {
		if i := slices.IndexFunc(s.Subjects, func(o Subject) bool { return o.Name == subject }); s.Name == scenario && i >= 0 {
			return s.Subjects[i], nil
		}
	}
	return Subject{}, fmt.Errorf("there is no subject %q of a scenario %q", subject, scenario)
}

// besideRaw is the raw loop, and deed beside it: with one task a message, and as it is.
func besideRaw[P any](
	loop func(ctx context.Context, dir string, p P) (Measure, error),
	deed func(ctx context.Context, dir string, p P, alone bool) (Measure, error),
) []Subject {
	way := func(alone bool) func(context.Context, string, P) (Measure, error) {
		return func(ctx context.Context, dir string, p P) (Measure, error) { return deed(ctx, dir, p, alone) }
	}
	return []Subject{by("raw", loop), by("single", way(true)), by("ranges", way(false))}
}

// rawLoop measures the raw loop on steps of so many tasks, after it had nothing to
// do for some seconds. Beside that it returns how long it was from step to step.
func rawLoop(ctx context.Context, dir string, steps, width int, quiet float64) (Measure, []time.Duration, error) {
	rig, err := raw.Start(ctx, raw.Options{Dir: dir})
	if err != nil {
		return Measure{}, nil, err
	}
	defer rig.Close()
	idle, err := idleCPU(ctx, quiet)
	if err != nil {
		return Measure{}, nil, err
	}
	clock := startClock()
	hops, err := rig.Loop(ctx, steps, width)
	if err != nil {
		return Measure{}, nil, err
	}
	m := clock.stop(int64(steps * width))
	m.Invoked, m.Also = m.Tasks, idle // the loop checks that each is done once
	return m, hops, nil
}
