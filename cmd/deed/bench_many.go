package main

import (
	"github.com/spf13/cobra"

	"github.com/deedrun/deed/internal/bench"
)

func (a *app) benchMany() *cobra.Command {
	var p bench.ManyParams
	cmd := &cobra.Command{
		Use:   "many",
		Short: "Run many small processes at once",
		Long: `Many submits processes of three tasks that do nothing, as fast as they are taken, and
waits until all have ended: how many a second, how long each took from its submission
to its end, and what memory the runtime had meanwhile, at ten points. Beside it the raw
loop does as many tasks as the processes have together, of which it knows nothing but
the number: what a process costs more is its start, its end and its own history.`,
		Example: "  deed bench many --n 10000\n  deed bench many --n 1000 --deep -o json",
	}
	cmd.Flags().BoolVar(&p.Deep, "deep", false, "the three tasks of a process are steps, one after the other")
	cmd.Flags().IntVar(&p.Workers, "workers", 0, "tasks at a time (default: one a core)")
	return a.benchScenario(cmd, bench.Many(), 10_000, "processes", func(n int) (any, error) {
		if p.Workers < 0 {
			return nil, usagef("--workers %d: give at least 1, or leave it out", p.Workers)
		}
		p.N = n
		return p, nil
	})
}
