package main

import (
	"cmp"
	"context"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/deedrun/deed"
	"github.com/deedrun/deed/internal/amount"
	"github.com/deedrun/deed/internal/upkeep"
	"github.com/deedrun/deed/orchestrator"
)

func (a *app) viewsCommand() *cobra.Command {
	cmd := &cobra.Command{
		Use:   "views",
		Short: "Look at the stored views, and make them again",
		Long: `A view is what was made of the events of all processes, such as the list that ps
prints. It is stored now and then with the place that it has read up to, so that
the next one reads only what is new. The events are the truth: a stored view that
does not fit them is not believed, and any can be made again from them.`,
		Example: "  deed views\n  deed views rebuild",
		Args:    cobra.NoArgs,
		RunE:    a.listViews,
	}
	ls := &cobra.Command{
		Use: "ls", Short: "List the views: how far they have read, how much is new, and their size", Args: cobra.NoArgs, RunE: a.listViews,
	}
	for _, c := range []*cobra.Command{cmd, ls, a.rebuildViews()} {
		a.dataFlag(c)
		a.outputFlag(c, "json")
		if c != cmd {
			cmd.AddCommand(c)
		}
	}
	return cmd
}

func (a *app) listViews(cmd *cobra.Command, _ []string) error {
	var all []orchestrator.ViewStatus
	err := a.attached(cmd.Context(), func(ctx context.Context, r *deed.Runtime) (err error) {
		all, err = upkeep.Of(r).ViewStatus(ctx)
		return err
	})
	if err != nil {
		return err
	}
	if a.output == "json" {
		return a.printJSON(all)
	}
	rows := [][]string{{"NAME", "CHECKPOINT", "PROCESSES", "BEHIND", "STORED", "SIZE"}}
	for _, v := range all {
		checkpoint, stored, size := "-", "not yet", "-"
		if v.Stored {
			checkpoint = strconv.FormatUint(uint64(v.Checkpoint), 10)
			stored, size = duration(max(time.Since(v.StoredAt), 0))+" ago", amount.Bytes(int64(v.Bytes))
		}
		rows = append(rows, []string{v.Name, checkpoint, strconv.Itoa(v.Processes), amount.Of(v.Behind, "commit"), stored, size})
	}
	return a.table(rows)
}

func (a *app) rebuildViews() *cobra.Command {
	return &cobra.Command{
		Use:   "rebuild [NAME]",
		Short: "Fold a view from the first event, compare it with the stored one, and store it",
		Long: `Rebuild folds a view, or all of them, from the first event, beside whatever runs,
and compares it with the stored one at the same commit. It says that they are
equal, or what differs first; then the new one takes its place.`,
		Example: "  deed views rebuild\n  deed views rebuild processes -o json",
		Args:    between("the NAME of a view, or nothing", 0, 1),
		RunE: func(cmd *cobra.Command, args []string) error {
			if names := orchestrator.ViewNames(); len(args) == 1 && !slices.Contains(names, args[0]) {
				return &notFoundError{fmt.Sprintf("there is no view %q; there is %s", args[0], strings.Join(names, ", "))}
			}
			var rebuilt orchestrator.Rebuilt
			err := a.attached(cmd.Context(), func(ctx context.Context, r *deed.Runtime) (err error) {
				rebuilt, err = upkeep.Of(r).RebuildViews(ctx)
				return err
			})
			if err != nil {
				return err
			}
			if a.output == "json" {
				return a.printJSON([]orchestrator.Rebuilt{rebuilt})
			}
			return a.sayRebuilt(rebuilt)
		},
	}
}

func (a *app) sayRebuilt(r orchestrator.Rebuilt) error {
	fmt.Fprintf(a.stdout, "%s: %s folded from zero: %d in the list\n", r.Name, amount.Of(r.Commits, "commit"), r.Processes)
	switch {
	case r.Equal:
		fmt.Fprintln(a.stdout, "it equals the stored one")
	case !r.Was:
		fmt.Fprintln(a.stdout, "there was no stored one to compare it with")
	default:
		fmt.Fprintf(a.stdout, "the stored one differed, and has been replaced: first at process %s, %s: stored %s, by the events %s\n",
			printable(r.Differs.Process), r.Differs.Field, jsonOrNothing(r.Differs.Stored), jsonOrNothing(r.Differs.Events))
	}
	return nil
}

func jsonOrNothing(value []byte) string {
	return shortened(cmp.Or(string(value), "nothing"), 100)
}
