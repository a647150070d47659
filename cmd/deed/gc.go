package main

import (
	"context"
	"errors"
	"fmt"
	"strconv"
	"time"

	"github.com/spf13/cobra"

	"github.com/deedrun/deed"
	"github.com/deedrun/deed/api/wire"
	"github.com/deedrun/deed/blob"
	"github.com/deedrun/deed/internal/amount"
	"github.com/deedrun/deed/internal/gc"
	"github.com/deedrun/deed/internal/upkeep"
	"github.com/deedrun/deed/task"
)

func (a *app) gc() *cobra.Command {
	var grace, cacheFor time.Duration
	var remove bool
	cmd := &cobra.Command{
		Use:   "gc",
		Short: "Remove blobs that no process refers to",
		Long: `gc finds the blobs that no process refers to: what executions wrote whose result
did not count, inputs of processes that are gone, what killed writers left. It
prints what it would remove; with --delete it removes it. It may run beside
everything else.

Results that tasks left for later ones go when nobody used them for --cache-for, or
when what they refer to goes.

A process that has not ended keeps all it has. What is younger than --grace
stays, and all of a process that ended within it: choose it longer than a
process takes to import its inputs, and than a worker may be cut off and still
report.`,
		Example: "  deed gc\n  deed gc --delete\n  deed gc --grace 72h -o json",
		Args:    cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			switch {
			case cacheFor <= 0:
				return usagef("--cache-for %s: give a time; %#q takes out all", cacheFor, a.commandLine("cache", "clear"))
			case grace < 0:
				return usagef("--grace %s: a grace period is not negative", grace)
			}
			by := wire.GC{Grace: new(task.Duration(grace)), CacheFor: new(task.Duration(cacheFor)), Delete: remove}
			var report wire.GCReport
			err := a.attached(cmd.Context(), func(ctx context.Context, r *deed.Runtime) (err error) {
				report, err = upkeep.Of(r).CollectGarbage(ctx, by)
				return err
			})
			if err != nil && len(report.Garbage) == 0 {
				return err
			}
			if a.output == "json" {
				return errors.Join(err, a.printJSON(report))
			}
			return errors.Join(err, a.tellGarbage(report))
		},
	}
	cmd.Flags().BoolVar(&remove, "delete", false, "remove them; without it nothing is changed")
	cmd.Flags().DurationVar(&grace, "grace", gc.DefaultGrace, "leave alone what is younger")
	cmd.Flags().DurationVar(&cacheFor, "cache-for", gc.DefaultCacheFor, "keep results in the cache that were used within it")
	a.dataFlag(cmd)
	a.outputFlag(cmd, "json")
	return cmd
}

// tellGarbage prints the garbage, and says beside it what stays and why.
func (a *app) tellGarbage(r wire.GCReport) error {
	if len(r.Garbage) > 0 {
		rows := [][]string{{"PROCESS", "KIND", "BLOBS", "SIZE", "OLDEST"}}
		for _, g := range r.Garbage {
			process := g.Process
			if process == "" {
				process = "-"
			}
			rows = append(rows, []string{process, string(g.Kind), strconv.Itoa(g.Blobs), amount.Bytes(g.Bytes), g.Oldest.Local().Format(time.DateTime)})
		}
		if err := a.table(rows); err != nil {
			return err
		}
	}
	say := func(format string, args ...any) { fmt.Fprintf(a.stderr, format+"\n", args...) }
	total := r.Total()
	size := func(c wire.GCCount) string { return amount.Of(c.Blobs, "blob") + ", " + amount.Bytes(c.Bytes) }
	switch {
	case r.Deleted:
		say("removed %s", size(total))
	case total.Blobs == 0:
		say("there is nothing to remove")
	default:
		say("to remove: %s; add --delete to do it", size(total))
	}
	say("kept: %s", size(r.Kept))
	if r.Young.Blobs > 0 {
		say("nobody refers to them, but they are within the grace period of %s: %s", r.Grace, size(r.Young))
	}
	if r.Foreign.Blobs > 0 {
		say("not written by deed, never touched: %s", size(r.Foreign))
	}
	for _, u := range r.Unread {
		say("process %s cannot be read, so it keeps all it has, and all %ss are kept: %s", u.Process, blob.KindInput, printable(u.Error))
	}
	for _, id := range r.Changed {
		say("process %s went on meanwhile: left for the next time", id)
	}
	return nil
}
