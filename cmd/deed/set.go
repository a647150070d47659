package main

import (
	"context"
	"fmt"
	"strings"

	"github.com/spf13/cobra"

	"github.com/deedrun/deed"
	"github.com/deedrun/deed/orchestrator/definition"
	"github.com/deedrun/deed/orchestrator/process"
)

func (a *app) set() *cobra.Command {
	var reason string
	cmd := &cobra.Command{
		Use:   "set ID [ADDRESS.]SETTING=VALUE…",
		Short: "Change settings of one process, while it runs",
		Long: `Set changes settings of one process, not of its file: timeout, retry.attempts,
retry.backoff, retry.factor, retry.jitter, tolerate, pool, needs, limits and cache of a
step or of all steps of a group, parallelism and rate of a step, and, without an
address, deadline, parallelism, weight and cache of the process. They hold at once: a
parallelism that is raised schedules more, a timeout counts for what runs already, and
what nobody executes yet goes to the pool that is named now. "none" lifts a timeout, a
parallelism, a pool, needs, limits, a rate, a deadline and a weight.

` + whichID,
		Example: "  deed set @latest count.timeout=5m count.retry.attempts=5\n  deed set word-count-x7 deadline=2h --reason 'it is larger than usual'\n  deed set @latest parallelism=200 faces.pool=gpu faces.needs=cpu=2,memory=4GiB,gpu=1",
		Args:    between("ID and at least one ADDRESS.SETTING=VALUE", 2, 1000),
		RunE: func(cmd *cobra.Command, args []string) error {
			if _, err := pairs("setting", args[1:]); err != nil {
				return err
			}
			g, err := a.ask(cmd.Context(), args[0], reason, func(_ context.Context, _ *deed.Runtime, s process.State, who process.Asked) (process.Command, error) {
				def := *s.Definition
				for _, arg := range args[1:] {
					setting, value, _ := strings.Cut(arg, "=")
					var err error
					if def, err = definition.Set(def, setting, value); err != nil {
						return nil, &usageError{fmt.Errorf("%s: %w", s.ID, err)}
					}
				}
				return process.ReviseProcess{Definition: def, Base: s.Hash, Asked: who}, nil
			})
			switch {
			case err != nil:
				return err
			case g.event == nil:
				return a.tell(g, g.after.ID+" has these settings already")
			}
			return a.tell(g, "set "+g.after.ID+a.unserved(g)+":", definition.Diff(*g.before.Definition, *g.after.Definition)...)
		},
	}
	reasonFlag(cmd, &reason)
	a.dataFlag(cmd)
	a.outputFlag(cmd, "json")
	return cmd
}
