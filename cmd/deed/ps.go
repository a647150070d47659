package main

import (
	"cmp"
	"context"
	"fmt"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/deedrun/deed"
	"github.com/deedrun/deed/orchestrator"
	"github.com/deedrun/deed/orchestrator/process"
)

func (a *app) ps() *cobra.Command {
	tree, most := false, 0
	cmd := &cobra.Command{
		Use:   "ps [ID]",
		Short: "List the processes, the latest first",
		Long: `Ps lists the processes that are no children of others, and how many of the
processes below each have completed. With an ID, or with --tree, it lists those
below as well: first what failed, runs or is paused.

` + whichID,
		Example: "  deed ps\n  deed ps photos-x7\n  deed ps --tree --children 100\n  deed ps -o json",
		Args:    between("ID, or nothing", 0, 1),
		RunE: func(cmd *cobra.Command, args []string) error {
			if most < 0 {
				return usagef("--children %d: give the most children to list of each process; 0: all", most)
			}
			tree = tree || len(args) == 1
			var all []orchestrator.Summary
			err := a.attached(cmd.Context(), func(ctx context.Context, r *deed.Runtime) error {
				filter := orchestrator.Filter{Roots: !tree}
				if len(args) == 1 {
					id, err := a.resolveID(ctx, r, args[0])
					if err != nil {
						return err
					}
					filter.Family = id
				}
				all = []orchestrator.Summary{}
				for p, err := range r.Processes(ctx, filter) {
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
			switch {
			case a.output == "json":
				return a.printJSON(all)
			case tree:
				return a.printTree(all, most)
			}
			return a.printProcesses(all)
		},
	}
	cmd.Flags().BoolVar(&tree, "tree", false, "list the children of processes, too")
	cmd.Flags().IntVar(&most, "children", 20, "with an ID or --tree: list at most `N` children of each process; 0: all")
	a.dataFlag(cmd)
	a.outputFlag(cmd, "json")
	return cmd
}

func (a *app) printProcesses(all []orchestrator.Summary) error {
	children := false
	for _, p := range all {
		children = children || p.Below() > 0
	}
	rows := [][]string{psRow("ID", []string{"NAME"}, children, "CHILDREN", psHeading)}
	for _, p := range all {
		rows = append(rows, psRow(p.ID, []string{p.Name}, children, childrenOf(p), psCells(p)))
	}
	return a.table(rows)
}

var psHeading = []string{"STATUS", "STEPS", "TASKS", "STARTED", "TOOK", "WHY"}

// psRow puts the count of children, if there are any in the list, before what is
// about time.
func psRow(id string, about []string, children bool, count string, cells []string) []string {
	row := append(append([]string{id}, about...), cells[:3]...)
	if children {
		row = append(row, count)
	}
	return append(row, cells[3:]...)
}

func psCells(p orchestrator.Summary) []string {
	took := time.Since(p.StartedAt)
	if !p.EndedAt.IsZero() {
		took = p.EndedAt.Sub(p.StartedAt)
	}
	return []string{
		statusOf(p), fmt.Sprintf("%d/%d", p.StepsDone, p.Steps), fmt.Sprintf("%d/%d", p.TasksDone, p.Tasks),
		p.StartedAt.Local().Format(time.DateTime), duration(took), shortened(strings.TrimPrefix(p.Reason, "process "), 100),
	}
}

// childrenOf is "9990/10000, 3 failed": how many of the processes below have
// completed, and how many never will as they are.
func childrenOf(p orchestrator.Summary) string {
	if p.Below() == 0 {
		return ""
	}
	text := fmt.Sprintf("%d/%d", p.Children[process.Completed], p.Below())
	for _, status := range []process.Status{process.Failed, process.Cancelled, process.Paused} {
		if n := p.Children[status]; n > 0 {
			text += fmt.Sprintf(", %d %s", n, status)
		}
	}
	return text
}

// statusOf is how a process stands, and whether its history has been moved away.
func statusOf(p orchestrator.Summary) string {
	return string(p.Status) + map[bool]string{true: ", archived"}[p.Archived]
}

// urgent orders processes by how much a person has to look at them.
func urgent(x, y orchestrator.Summary) int {
	rank := map[process.Status]int{process.Failed: 0, process.Paused: 1, process.Running: 2, process.Cancelled: 3, process.Completed: 4}
	return cmp.Or(cmp.Compare(rank[x.Status], rank[y.Status]), x.StartedAt.Compare(y.StartedAt), strings.Compare(x.ID, y.ID))
}
