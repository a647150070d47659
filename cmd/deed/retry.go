package main

import (
	"context"
	"strings"

	"github.com/spf13/cobra"

	"github.com/deedrun/deed"
	"github.com/deedrun/deed/orchestrator/process"
	"github.com/deedrun/deed/task"
)

func (a *app) retry() *cobra.Command {
	var o goOn
	var failed bool
	cmd := &cobra.Command{
		Use:   "retry ID [ADDRESS | ADDRESS[INDEX] | ADDRESS[FIRST-LAST]]",
		Short: "Give tasks that failed a fresh budget, and go on",
		Long: `Retry schedules tasks again that failed for good, were skipped, or wait for their
next attempt, with all the attempts that their step allows. A process that failed
or was cancelled runs again; what is done stays done. Without an address it is
about whatever failed; with one, about what failed in that step or group, or about
those tasks of a step.

What a completed step had skipped is retried only if that step is named: it goes
back for those tasks, and whatever read its data begins anew.

` + whereItGoesOn + "\n\n" + whichID,
		Example: "  deed retry @latest\n  deed retry word-count-x7 'count[3]' --reason 'disk was full'\n  deed retry word-count-x7 'count[2-5,9]'",
		Args:    between("ID and perhaps an ADDRESS", 1, 2),
		RunE: func(cmd *cobra.Command, args []string) error {
			c := process.RetryTasks{}
			if len(args) == 2 {
				if failed {
					return usagef("--failed is whatever failed, and %s a part of it; give one", args[1])
				}
				var err error
				if c.Address, c.Tasks, err = parseTasks(args[1]); err != nil {
					return err
				}
			}
			return o.again(cmd.Context(), a, args[0], "goes on", func(_ context.Context, _ *deed.Runtime, _ process.State, who process.Asked) (process.Command, error) {
				c.Asked = who
				return c, nil
			})
		},
	}
	cmd.Flags().BoolVar(&failed, "failed", false, "whatever failed (the default)")
	o.flags(a, cmd)
	return cmd
}

// parseTasks reads "count", "count[3]" or "count[2-5,9]".
func parseTasks(text string) (address string, tasks task.Ranges, err error) {
	address, inside, indexed := strings.Cut(text, "[")
	if !indexed {
		return text, nil, nil
	}
	inside, closed := strings.CutSuffix(inside, "]")
	if address == "" || !closed || inside == "" {
		return "", nil, usagef("%q: write it as ADDRESS, ADDRESS[3] or ADDRESS[2-5]", text)
	}
	inside = strings.ReplaceAll(strings.ReplaceAll(inside, "–", "-"), " ", "") // as deed prints it
	if err := tasks.UnmarshalText([]byte(inside)); err != nil {
		return "", nil, usagef("%q: %w", text, err)
	}
	return address, tasks, nil
}
