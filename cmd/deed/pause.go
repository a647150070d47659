package main

import (
	"context"

	"github.com/spf13/cobra"

	"github.com/deedrun/deed"
	"github.com/deedrun/deed/internal/amount"
	"github.com/deedrun/deed/orchestrator/process"
)

func (a *app) pause() *cobra.Command {
	var reason string
	cmd := &cobra.Command{
		Use:   "pause ID",
		Short: "Schedule nothing more of a process; what runs goes on and counts",
		Long: `Pause stops scheduling. What workers execute goes on, and its results count;
what waits is taken off the queue. It holds until deed resume, over restarts of
everything. The deadline of the process, if it has one, goes on counting.

` + whichID,
		Example: "  deed pause @latest --reason 'the database is being moved'",
		Args:    exactly("ID"),
		RunE: func(cmd *cobra.Command, args []string) error {
			g, err := a.ask(cmd.Context(), args[0], reason, func(_ context.Context, _ *deed.Runtime, _ process.State, who process.Asked) (process.Command, error) {
				return process.PauseProcess{Asked: who}, nil
			})
			switch {
			case err != nil:
				return err
			case g.event == nil:
				return a.tell(g, g.after.ID+" is paused already"+since(g.after))
			case g.executing > 0:
				return a.tell(g, did(g)+"; "+amount.Of(g.executing, "task")+" "+isAre(g.executing)+" still being executed and will count")
			}
			return a.tell(g, did(g)+a.unserved(g))
		},
	}
	reasonFlag(cmd, &reason)
	a.dataFlag(cmd)
	a.outputFlag(cmd, "json")
	return cmd
}
