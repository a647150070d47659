package main

import (
	"context"
	"fmt"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/deedrun/deed"
	"github.com/deedrun/deed/orchestrator"
)

func (a *app) ps() *cobra.Command {
	cmd := &cobra.Command{
		Use:     "ps",
		Short:   "List the processes, the latest first",
		Example: "  deed ps\n  deed ps -o json",
		Args:    cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			var all []orchestrator.Summary
			err := a.reading(cmd.Context(), func(ctx context.Context, r *deed.Runtime) error {
				all = []orchestrator.Summary{}
				for p, err := range r.Processes(ctx) {
					if err != nil {
						return err
					}
					all = append(all, p)
				}
				return nil
			})
			if err != nil {
				return err
			}
			if a.output == "json" {
				return a.printJSON(all)
			}
			rows := [][]string{{"ID", "NAME", "STATUS", "STEPS", "TASKS", "STARTED", "TOOK", "WHY"}}
			for _, p := range all {
				took := time.Since(p.StartedAt)
				if !p.EndedAt.IsZero() {
					took = p.EndedAt.Sub(p.StartedAt)
				}
				rows = append(rows, []string{
					p.ID, p.Name, statusOf(p), fmt.Sprintf("%d/%d", p.StepsDone, p.Steps), fmt.Sprintf("%d/%d", p.TasksDone, p.Tasks),
					p.StartedAt.Local().Format(time.DateTime), duration(took), shortened(strings.TrimPrefix(p.Reason, "process "), 100),
				})
			}
			return a.table(rows)
		},
	}
	a.dataFlag(cmd)
	a.outputFlag(cmd, "json")
	return cmd
}

// statusOf is how a process stands, and whether its history has been moved away.
func statusOf(p orchestrator.Summary) string {
	if p.Archived {
		return string(p.Status) + ", archived"
	}
	return string(p.Status)
}
