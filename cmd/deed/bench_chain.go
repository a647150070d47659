package main

import (
	"time"

	"github.com/spf13/cobra"

	"github.com/deedrun/deed/internal/bench"
)

func (a *app) benchChain() *cobra.Command {
	var p bench.ChainParams
	var idle time.Duration
	cmd := &cobra.Command{
		Use:   "chain",
		Short: "Measure steps one after the other, each a barrier",
		Long: `Chain runs one process of --n steps of --width tasks each, which hand on small values:
a step begins when the last task of the one before is done and its event is on disk.
Its ways are those of deed bench fanout, but that the raw loop waits, too.

P50 and P99 are of the hop: the time from the end of the handler that ended last in a
step to the beginning of the one that begins first in the next. With --width 1 it is
that from task to task.

Before that, each way is watched for --idle, while it has nothing to do: IDLE CPU is in
percent of one core.`,
		Example: "  deed bench chain --n 500 --width 1 --rounds 5\n  deed bench chain --n 100 --width 100 -o json",
	}
	cmd.Flags().IntVar(&p.Width, "width", 1, "tasks of each step")
	cmd.Flags().DurationVar(&idle, "idle", 5*time.Second, "how long to watch what has nothing to do; 0: not at all")
	return a.benchScenario(cmd, bench.Chain(), 100, "steps", func(n int) (any, error) {
		if p.Width < 1 || idle < 0 {
			return nil, usagef("--width %d --idle %s: a width is at least 1, and a time not negative", p.Width, idle)
		}
		p.N, p.Idle = n, idle.Seconds()
		return p, nil
	})
}
