package bench

import (
	"context"
	"encoding/json"
	"os"
	"path/filepath"
	"time"
)

// ColdstartParams are those of Coldstart.
type ColdstartParams struct {
	N      int `json:"n"`      // tasks that are done before
	Starts int `json:"starts"` // in each round
}

// Coldstart is from the start of an operating-system process to the first task
// that it executes: in a folder that is empty, and in one with a process of many
// tasks that are done, but for a few, which was made by a fan-out with one task a
// message, and by one with ranges, whose history is shorter. The base is a process
// that starts an embedded server in an empty folder, and that is all.
//
// Each start has a copy of the folder, which the system has read before.
func Coldstart() Scenario {
	return Scenario{
		Name:     "coldstart",
		Settings: durability(),
		Subjects: []Subject{
			by("raw", func(ctx context.Context, dir string, p ColdstartParams) (Measure, error) {
				return p.starts(ctx, dir, "server", "")
			}),
			by("empty", func(ctx context.Context, dir string, p ColdstartParams) (Measure, error) {
				return p.starts(ctx, dir, "begin", "")
			}),
			by("single", func(ctx context.Context, dir string, p ColdstartParams) (Measure, error) {
				return p.again(ctx, dir, true)
			}),
			by("ranges", func(ctx context.Context, dir string, p ColdstartParams) (Measure, error) {
				return p.again(ctx, dir, false)
			}),
		},
	}
}

// again makes a history and starts from it.
func (p ColdstartParams) again(ctx context.Context, dir string, alone bool) (Measure, error) {
	history := filepath.Join(dir, "history")
	if _, err := p.start(ctx, "fill", coldParams{Dir: history, Done: p.N, Alone: alone}); err != nil {
		return Measure{}, err
	}
	return p.starts(ctx, dir, "again", history)
}

// starts measures what one process after another does, each in a copy of a
// folder, or in an empty one.
func (p ColdstartParams) starts(ctx context.Context, dir, what, from string) (Measure, error) {
	var all []Measure
	var times []time.Duration
	for range p.Starts {
		folder := filepath.Join(dir, "start")
		err := os.Mkdir(folder, 0o700)
		if err == nil && from != "" {
			err = os.CopyFS(folder, os.DirFS(from))
		}
		if err != nil {
			return Measure{}, err
		}
		m, err := p.start(ctx, what, coldParams{Dir: folder, Done: p.N})
		if err != nil {
			return Measure{}, err
		}
		all = append(all, m)
		times = append(times, time.Duration(m.Seconds*float64(time.Second)))
		if err := os.RemoveAll(folder); err != nil {
			return Measure{}, err
		}
	}
	m := median(all)
	m.latencies(times)
	return m, nil
}

// start makes a process that does what coldSteps has under a name. It is made as
// this one was.
func (p ColdstartParams) start(ctx context.Context, what string, params coldParams) (Measure, error) {
	self, err := os.Executable()
	if err != nil {
		return Measure{}, err
	}
	made := &Plan{Command: append([]string{self}, os.Args[1:]...)}
	params.Began = time.Now()
	raw, err := json.Marshal(params)
	if err != nil {
		return Measure{}, err
	}
	return made.child(ctx, order{Scenario: coldSteps().Name, Subject: what, Dir: params.Dir, Params: raw})
}
