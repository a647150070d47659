package main

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/spf13/cobra"

	"github.com/deedrun/deed"
	"github.com/deedrun/deed/api/wire"
	"github.com/deedrun/deed/internal/amount"
	"github.com/deedrun/deed/internal/upkeep"
	"github.com/deedrun/deed/orchestrator"
)

// archiveOptions say what is to be archived, and where else the file goes.
type archiveOptions struct {
	before, name, reason, to string
	due, dry                 bool
}

func (a *app) archive() *cobra.Command {
	var o archiveOptions
	cmd := &cobra.Command{
		Use:   "archive {ID… | --before AGE | --due}",
		Short: "Move the histories of ended processes into files",
		Long: `Archive moves the history of a process that has ended out of the event store, into
one file beside the blobs, and those of the processes below it. The process is
listed and shown as before; what would change it is refused. deed import brings the file back elsewhere.

--before 30d archives all that ended more than 30 days ago, --name only those of
one definition; --due does what the settings of deed retention ask for, which
whoever serves the folder does by himself. It may be interrupted and run again.

` + whichID,
		Example: "  deed archive word-count-x7 --reason 'year closed' --to word-count-x7.tar.gz\n  deed archive --before 30d --name word-count --dry-run\n  deed archive --due",
		RunE: func(cmd *cobra.Command, args []string) error {
			if err := o.check(args); err != nil {
				return err
			}
			if o.dry {
				return a.planArchive(cmd.Context(), args, o)
			}
			return a.archiveAll(cmd.Context(), args, o)
		},
	}
	flags := cmd.Flags()
	flags.StringVar(&o.before, "before", "", "all that ended longer ago than `AGE`, such as 30d, 1y or 12h")
	flags.StringVar(&o.name, "name", "", "with --before: only processes of the definition `NAME`")
	flags.BoolVar(&o.due, "due", false, "what the retention settings ask for now")
	flags.BoolVar(&o.dry, "dry-run", false, "say what would be done, and change nothing")
	flags.StringVar(&o.to, "to", "", "also copy the file of the one ID to `FILE`")
	reasonFlag(cmd, &o.reason)
	a.dataFlag(cmd)
	a.outputFlag(cmd, "json")
	return cmd
}

func (o archiveOptions) check(ids []string) error {
	ways := 0
	for _, given := range []bool{len(ids) > 0, o.before != "", o.due} {
		if given {
			ways++
		}
	}
	switch {
	case ways != 1:
		return usagef("what is to be archived? Give IDs, or --before AGE, or --due")
	case o.name != "" && o.before == "":
		return usagef("--name chooses among what ended --before some time: give that, too")
	case o.to != "" && len(ids) != 1:
		return usagef("--to takes the file of one process: give one ID")
	}
	return nil
}

// chosen is what the options mean.
func (o archiveOptions) chosen(ctx context.Context, a *app, r *deed.Runtime, ids []string, now time.Time) ([]orchestrator.Due, error) {
	switch {
	case o.due:
		return upkeep.Of(r).Due(ctx, time.Time{}, "")
	case o.before != "":
		age, err := orchestrator.ParseAge(o.before)
		if err != nil {
			return nil, usagef("--before %w", err)
		}
		return upkeep.Of(r).Due(ctx, now.Add(-age), o.name)
	}
	var all, below []orchestrator.Due // what is below a process goes after it
	for _, given := range ids {
		id, err := a.resolveID(ctx, r, given)
		if err != nil {
			return nil, err
		}
		for p, err := range r.Processes(ctx, orchestrator.Filter{Family: id}) {
			if err != nil {
				return nil, err
			}
			if p.ID != id {
				below = append(below, orchestrator.Due{ID: p.ID})
			}
		}
		all = append(all, orchestrator.Due{ID: id})
	}
	return append(all, below...), nil
}

// archiveAll archives what is chosen, one after the other. One that is refused
// holds up no other.
func (a *app) archiveAll(ctx context.Context, ids []string, o archiveOptions) error {
	who, now := wire.Asked{By: person(), Reason: o.reason}, time.Now()
	done, seen := []wire.Archived{}, map[string]bool{}
	file, err := o.file()
	if err != nil {
		return err
	}
	defer file.discard()
	var refused error
	err = a.attached(ctx, func(ctx context.Context, r *deed.Runtime) error {
		all, err := o.chosen(ctx, a, r, ids, now)
		if err != nil {
			return err
		}
		for _, d := range all {
			if seen[d.ID] {
				continue
			}
			did, err := archiveOne(ctx, r, d, who)
			if err == nil {
				err = file.export(ctx, r, d.ID)
			}
			if err != nil && (isUnavailable(err) || ctx.Err() != nil) {
				return err
			}
			if seen[d.ID] = true; err != nil {
				refused = errors.Join(refused, refusal(d.ID, err))
				continue
			}
			done = append(done, did)
		}
		return nil
	})
	if a.output == "json" {
		return errors.Join(err, refused, a.printJSON(done))
	}
	for _, did := range done {
		fmt.Fprintln(a.stdout, archivedText(did))
	}
	if err == nil && refused == nil && len(done) == 0 {
		fmt.Fprintln(a.stderr, "nothing is to be archived")
	}
	return errors.Join(err, refused)
}

func archiveOne(ctx context.Context, r *deed.Runtime, d orchestrator.Due, who wire.Asked) (wire.Archived, error) {
	if d.Why != "" && who.Reason == "" {
		who.Reason = d.Why
	}
	if d.Remove {
		return upkeep.Of(r).RemoveArchive(ctx, d.ID, who)
	}
	return upkeep.Of(r).Archive(ctx, d.ID, who)
}

func archivedText(did wire.Archived) string {
	switch {
	case did.Removed:
		return "removed the archive of " + did.ID
	case !did.Changed:
		return did.ID + " is archived already, in " + did.Archive
	}
	return fmt.Sprintf("archived %s: %s, %s in %s", did.ID, amount.Of(int(did.Events), "event"), amount.Bytes(did.Bytes), did.Archive)
}

// planArchive says what would be archived or removed.
func (a *app) planArchive(ctx context.Context, ids []string, o archiveOptions) error {
	plan := []orchestrator.Due{}
	err := a.attached(ctx, func(ctx context.Context, r *deed.Runtime) error {
		all, err := o.chosen(ctx, a, r, ids, time.Now())
		if err != nil {
			return err
		}
		plan = plan[:0]
		for _, d := range all {
			if len(ids) > 0 {
				if d, err = a.planOne(ctx, r, d.ID); err != nil {
					return err
				}
			}
			plan = append(plan, d)
		}
		return nil
	})
	if err != nil {
		return err
	}
	if a.output == "json" {
		return a.printJSON(plan)
	}
	rows := [][]string{{"ID", "NAME", "STATUS", "ENDED", "WOULD BE", "WHY"}}
	for _, d := range plan {
		rows = append(rows, []string{
			d.ID, d.Name, string(d.Status), d.EndedAt.Local().Format(time.DateTime), map[bool]string{true: "removed", false: "archived"}[d.Remove], d.Why,
		})
	}
	return a.table(rows)
}

func (a *app) planOne(ctx context.Context, r *deed.Runtime, id string) (orchestrator.Due, error) {
	s, err := a.find(ctx, r, id)
	if err != nil {
		return orchestrator.Due{}, err
	}
	if !s.Ended() {
		return orchestrator.Due{}, &refusedError{fmt.Sprintf("%s: it is %s: only what has ended can be archived", id, s.Status)}
	}
	d := orchestrator.Due{ID: id, Name: s.Definition.Name, Status: s.Status, EndedAt: s.EndedAt, Why: "asked for"}
	if archived, _, err := r.Archive.Closed(ctx, id); err != nil || archived != nil {
		d.Why = "it is already"
		return d, err
	}
	return d, nil
}
