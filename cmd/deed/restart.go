package main

import (
	"context"
	"time"

	"github.com/spf13/cobra"

	"github.com/deedrun/deed"
	"github.com/deedrun/deed/orchestrator/process"
)

func (a *app) restart() *cobra.Command {
	var o goOn
	var from string
	var dry bool
	cmd := &cobra.Command{
		Use:   "restart ID --from ADDRESS",
		Short: "Run a step again, and all that follows from it",
		Long: `Restart runs a step, or all steps of a group, again as a new generation, and
everything downstream. What lies upstream or aside is kept and used again. It works
at any time: while the process runs, after it failed or was cancelled, and after it
completed. --dry-run says what would run, and sends nothing.

` + whereItGoesOn + "\n\n" + whichID,
		Example: "  deed restart @latest --from merge --dry-run\n  deed restart @latest --from merge --reason 'a bug in words/merge'",
		Args:    exactly("ID"),
		RunE: func(cmd *cobra.Command, args []string) error {
			if from == "" {
				return usagef("give --from ADDRESS, the step to begin anew; `%s` lists the steps", a.commandLine("show", args[0]))
			}
			if dry {
				return a.planRestart(cmd.Context(), args[0], from)
			}
			return o.again(cmd.Context(), a, args[0], "goes on", func(_ context.Context, _ *deed.Runtime, _ process.State, who process.Asked) (process.Command, error) {
				return process.RestartFrom{Address: from, Asked: who}, nil
			})
		},
	}
	cmd.Flags().StringVar(&from, "from", "", "`ADDRESS` of the step or group to begin anew")
	cmd.Flags().BoolVar(&dry, "dry-run", false, "say what would run, and send nothing")
	o.flags(a, cmd)
	return cmd
}

// planRestart says what a restart would do, from the state that is stored now.
func (a *app) planRestart(ctx context.Context, given, from string) error {
	var p restartPlan
	err := a.attached(ctx, func(ctx context.Context, r *deed.Runtime) error {
		s, err := a.find(ctx, r, given)
		if err != nil {
			return err
		}
		if p, err = planOf(s, process.RestartFrom{Address: from, At: time.Now()}); err == nil {
			err = r.Archive.Refusal(ctx, s.ID)
		}
		return refusal(s.ID, err)
	})
	if err != nil {
		return err
	}
	if a.output == "json" {
		return a.printJSON(p)
	}
	return a.printPlan(p)
}
