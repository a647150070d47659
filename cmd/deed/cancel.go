package main

import (
	"context"

	"github.com/spf13/cobra"

	"github.com/deedrun/deed"
	"github.com/deedrun/deed/internal/amount"
	"github.com/deedrun/deed/orchestrator/process"
)

func (a *app) cancel() *cobra.Command {
	var reason string
	cmd := &cobra.Command{
		Use:   "cancel ID",
		Short: "End a process: stop what runs, drop what waits",
		Long: `Cancel ends a process without its outputs. Handlers that run are told by their
context and programs by a signal, within a second; what waits is taken off the
queue; results that come later change nothing. What was done is kept: deed retry
goes on from there after all, deed restart runs a part again.

` + whichID,
		Example: "  deed cancel @latest --reason 'wrong corpus'",
		Args:    exactly("ID"),
		RunE: func(cmd *cobra.Command, args []string) error {
			g, err := a.ask(cmd.Context(), args[0], reason, func(_ context.Context, _ *deed.Runtime, _ process.State, who process.Asked) (process.Command, error) {
				return process.CancelProcess{Asked: who}, nil
			})
			switch {
			case err != nil:
				return err
			case g.event == nil:
				return a.tell(g, g.after.ID+" is cancelled already"+since(g.after))
			case g.executing > 0:
				return a.tell(g, did(g)+"; "+amount.Of(g.executing, "task")+" that workers had "+isAre(g.executing)+" being stopped")
			}
			return a.tell(g, did(g)+a.unserved(g))
		},
	}
	reasonFlag(cmd, &reason)
	a.dataFlag(cmd)
	a.outputFlag(cmd, "json")
	return cmd
}

func isAre(n int) string {
	if n == 1 {
		return "is"
	}
	return "are"
}
