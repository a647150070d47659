package main

import (
	"github.com/spf13/cobra"

	"github.com/deedrun/deed/internal/bench"
)

func (a *app) benchFanout() *cobra.Command {
	var p bench.FanoutParams
	cmd := &cobra.Command{
		Use:   "fanout",
		Short: "Measure one step of many tasks that do nothing",
		Long: `Fanout runs one process with a step of --n tasks that do nothing, from its start to
its end, on the embedded server with what deed ships: events are on disk before
anything counts. Its ways are

  raw     the loop that any orchestrator on JetStream has to make, and no more: publish
          a message a task, pull, publish the result, append the event
  single  deed, one task a message
  ranges  deed as it is: a message carries as many tasks as their duration allows

Each index has to invoke its handler once, which is counted; else it is an error. The
import of the input is no part of the time, and is shown beside it.`,
		Example: "  deed bench fanout --n 100000 --rounds 5\n  deed bench fanout --n 1000000 --values -o json",
	}
	cmd.Flags().IntVar(&p.Workers, "workers", 0, "tasks that deed executes at a time (default: one a core)")
	cmd.Flags().BoolVar(&p.Values, "values", false, "each task of deed writes a small value, which its process lists as an output")
	return a.benchScenario(cmd, bench.Fanout(), 100_000, "tasks", func(n int) (any, error) {
		if p.Workers < 0 {
			return nil, usagef("--workers %d: give at least 1, or leave it out", p.Workers)
		}
		p.N = n
		return p, nil
	})
}
