package main

import (
	"fmt"
	"time"

	"github.com/spf13/cobra"

	"github.com/deedrun/deed/orchestrator"
)

func (a *app) ps() *cobra.Command {
	cmd := &cobra.Command{
		Use:     "ps",
		Short:   "List the processes, the latest first",
		Example: "  deed ps\n  deed ps -o json",
		Args:    cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			r, err := a.read(cmd.Context())
			if err != nil {
				return err
			}
			defer r.Close()
			all, err := orchestrator.Summarise(cmd.Context(), r.Events)
			if err != nil {
				return err
			}
			if a.output == "json" {
				return a.printJSON(all)
			}
			rows := [][]string{{"ID", "NAME", "STATUS", "STEPS", "TASKS", "STARTED", "TOOK"}}
			for _, p := range all {
				took := time.Since(p.StartedAt)
				if !p.EndedAt.IsZero() {
					took = p.EndedAt.Sub(p.StartedAt)
				}
				rows = append(rows, []string{
					p.ID, p.Name, string(p.Status), fmt.Sprintf("%d/%d", p.StepsDone, p.Steps), fmt.Sprintf("%d/%d", p.TasksDone, p.Tasks),
					p.StartedAt.Local().Format(time.DateTime), duration(took),
				})
			}
			return a.table(rows)
		},
	}
	a.dataFlag(cmd)
	a.outputFlag(cmd, "json")
	return cmd
}
