package main

import (
	"cmp"
	"context"
	"encoding/json"
	"fmt"
	"slices"

	"github.com/spf13/cobra"

	"github.com/deedrun/deed"
	"github.com/deedrun/deed/queue"
)

func (a *app) autoscaleHistory() *cobra.Command {
	pool := ""
	cmd := &cobra.Command{
		Use:   "history",
		Short: "Tell what autoscale decided, and why",
		Long: `History prints what deed autoscale changed in each pool, or in one, in the order
of time, whoever decided it. With -o json: one decision a line, with the figures that it
was made of.`,
		Example: "  deed autoscale history\n  deed autoscale history --pool gpu -o json | jq .why",
		Args:    cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			return a.attached(cmd.Context(), func(ctx context.Context, r *deed.Runtime) error {
				all, err := decisions(ctx, r, pool)
				if err != nil {
					return err
				}
				return a.printDecisions(all)
			})
		},
	}
	cmd.Flags().StringVar(&pool, "pool", "", "`NAME` of one pool; \"default\": the workers without one")
	a.dataFlag(cmd)
	a.outputFlag(cmd, "json")
	return cmd
}

// decisions are those of a pool, or of all.
func decisions(ctx context.Context, r *deed.Runtime, pool string) ([]decided, error) {
	streams := []string{scaleStream(pool)}
	if pool == "" {
		var err error
		if streams, err = r.Events.Streams(ctx, scalePrefix); err != nil {
			return nil, fmt.Errorf("list decisions: %w", err)
		}
	}
	all := []decided{}
	for _, stream := range streams {
		for e, err := range r.Events.Read(ctx, stream, 0) {
			if err != nil {
				return nil, fmt.Errorf("read decisions: %w", err)
			}
			var d decided
			if e.Type != decidedType || json.Unmarshal(e.Data, &d) != nil {
				continue // a later version's
			}
			all = append(all, d)
		}
	}
	slices.SortStableFunc(all, func(x, y decided) int { return x.At.Compare(y.At) })
	return all, nil
}

func (a *app) printDecisions(all []decided) error {
	if a.output == "json" {
		for _, d := range all {
			a.printDecision(d)
		}
		return nil
	}
	if len(all) == 0 {
		fmt.Fprintln(a.stderr, "nobody has scaled anything here")
		return nil
	}
	rows := [][]string{{"TIME", "POOL", "BY", "WORKERS", "WHY"}}
	for _, d := range all {
		workers := fmt.Sprint(d.To)
		if d.From != d.To {
			workers = fmt.Sprintf("%d -> %d", d.From, d.To)
		}
		rows = append(rows, []string{d.At.Local().Format("2006-01-02 15:04:05"), cmp.Or(d.Pool, queue.DefaultLane), d.By, workers, d.Why})
	}
	return a.table(rows)
}
