package bench

import (
	"context"
	"fmt"
	"path/filepath"
	"strings"

	"github.com/deedrun/deed"
	"github.com/deedrun/deed/worker"
)

// ChainParams are those of Chain.
type ChainParams struct {
	N     int     `json:"n"`            // steps
	Width int     `json:"width"`        // tasks of each
	Idle  float64 `json:"idle_seconds"` // how long to watch what has nothing to do; 0: not at all
}

// Chain is steps one after the other, each of which reads what the last one
// wrote, all of it: a step begins when no task of the one before is left.
func Chain() Scenario {
	return Scenario{
		Name:     "chain",
		Settings: durability(),
		Subjects: besideRaw(rawChain, chain),
	}
}

func rawChain(ctx context.Context, dir string, p ChainParams) (Measure, error) {
	m, hops, err := rawLoop(ctx, dir, p.N, p.Width, p.Idle)
	m.latencies(hops)
	return m, err
}

func chain(ctx context.Context, dir string, p ChainParams, alone bool) (Measure, error) {
	watched := newBaton(p.N, p.Width)
	handlers := worker.NewRegistry()
	worker.Handle(handlers, "bench/pass", watched.pass)
	source, err := deed.Parse(chainOf(p.N))
	if err != nil {
		return Measure{}, err
	}
	r, err := deed.Open(ctx, deed.Options{Dir: filepath.Join(dir, "deed"), Handlers: handlers, Alone: alone, Log: warnings()})
	if err != nil {
		return Measure{}, err
	}
	defer r.Close()
	idle, err := idleCPU(ctx, p.Idle)
	if err != nil {
		return Measure{}, err
	}
	start, err := r.Prepare(ctx, "chain", deed.Job{Source: source, Inputs: map[string]deed.Input{"v0": numbers(p.Width)}}, nil)
	if err != nil {
		return Measure{}, err
	}
	n := int64(p.N * p.Width)
	clock := startClock()
	if _, err := r.Start(ctx, start); err != nil {
		return Measure{}, err
	}
	result, err := r.Wait(ctx, start.ID, nil)
	if err != nil {
		return Measure{}, err
	}
	m := clock.stop(n)
	if err := watched.executed.check(); err != nil {
		return Measure{}, err
	}
	if err := checkValues(ctx, result, fmt.Sprintf("v%d", p.N), p.Width); err != nil {
		return Measure{}, err
	}
	m.Invoked, m.Also = watched.executed.calls.Load(), idle
	m.latencies(watched.hops())
	return m, nil
}

// chainOf is a process of n steps, s1 to sn, that hand on the values of v0.
func chainOf(n int) string {
	var b strings.Builder
	b.WriteString("deed: v1\nname: chain\ninputs: [v0]\nsteps:\n")
	for i := 1; i <= n; i++ {
		fmt.Fprintf(&b, "  s%d: {run: bench/pass, each: {v: v%d}, out: {next: v%d}}\n", i, i-1, i)
	}
	fmt.Fprintf(&b, "outputs: [v%d]\n", n)
	return b.String()
}
