package main

import (
	"context"
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/deedrun/deed"
	"github.com/deedrun/deed/api/wire"
	"github.com/deedrun/deed/internal/amount"
	"github.com/deedrun/deed/orchestrator"
	"github.com/deedrun/deed/orchestrator/process"
	"github.com/deedrun/deed/task"
)

func (a *app) show() *cobra.Command {
	at := uint64(0)
	cmd := &cobra.Command{
		Use:   "show ID",
		Short: "Show where a process stands, or stood",
		Long: `Show folds the history of a process and prints its steps, their counts, timings
and outputs. With --at it folds the first N events only: where the process stood then.

` + whichID,
		Example: "  deed show @latest\n  deed show word-count-x7 --at 12\n  deed show word-count-x7 -o json",
		Args:    exactly("ID"),
		RunE: func(cmd *cobra.Command, args []string) error {
			if cmd.Flags().Changed("at") && at == 0 {
				return usagef("--at 0: events are numbered from 1 on, as %#q lists them", a.commandLine("history", args[0]))
			}
			var state process.State
			var children []orchestrator.Summary
			now := time.Now()
			err := a.attached(cmd.Context(), func(ctx context.Context, r *deed.Runtime) error {
				id, err := a.resolveID(ctx, r, args[0])
				if err != nil {
					return err
				}
				if state, err = orchestrator.LoadAt(ctx, r.Archive, id, at); err == nil && at == 0 && hasChildren(state, "") {
					children, err = childrenAt(ctx, r, state, "")
				}
				if err != nil || at == 0 {
					return err
				}
				if state.Version < at {
					return &notFoundError{fmt.Sprintf("%s has %s, there is no event %d; %#q lists them",
						id, amount.Of(int(state.Version), "event"), at, a.commandLine("history", id))}
				}
				now, err = timeOfEvent(ctx, r, id, at)
				return err
			})
			if err != nil {
				return err
			}
			if a.output == "json" {
				return a.printJSON(wire.ProcessOf(state))
			}
			if at > 0 {
				fmt.Fprintf(a.stdout, "after event %d, at %s\n", at, now.Local().Format(time.DateTime))
			}
			if err := a.printState(state, now); err != nil {
				return err
			}
			a.printChildren(state.ID, children)
			return nil
		},
	}
	cmd.Flags().Uint64Var(&at, "at", 0, "as it was after event `N` of the history")
	a.dataFlag(cmd)
	a.outputFlag(cmd, "json")
	return cmd
}

// timeOfEvent is when an event happened, by its own account.
func timeOfEvent(ctx context.Context, r *deed.Runtime, id string, version uint64) (time.Time, error) {
	for e, err := range orchestrator.History(ctx, r.Archive, id) {
		if err != nil {
			return time.Time{}, err
		}
		if e.Version == version {
			event, err := process.Decode(process.Stored(e.Record))
			at, _ := eventTime(event)
			return at, err
		}
	}
	return time.Time{}, &notFoundError{fmt.Sprintf("%s has no event %d", id, version)}
}

// printState prints where a process stands; now is what durations count to.
func (a *app) printState(s process.State, now time.Time) error {
	if err := s.Damage(); err != nil {
		fmt.Fprintln(a.stderr, "deed:", err)
	}
	if s.Definition == nil {
		return nil
	}
	if s.Ended() {
		now = s.EndedAt
	}
	version := ""
	if s.Definition.Version != "" {
		version = " version " + s.Definition.Version
	}
	fmt.Fprintf(a.stdout, "%s  %s%s  %s\n", s.ID, s.Definition.Name, version, s.Status)
	by := ""
	if s.Submitted.By != "" {
		by = " by " + printable(s.Submitted.By)
	}
	if p := s.Parent; p != nil {
		fmt.Fprintf(a.stdout, "child of %s\n", p)
	}
	fmt.Fprintf(a.stdout, "started %s%s, %s %s; %s\n", s.StartedAt.Local().Format(time.DateTime), by,
		map[bool]string{true: "took", false: "running for"}[s.Ended()], duration(now.Sub(s.StartedAt)), amount.Of(int(s.Version), "event"))
	if reason := s.Reason(); reason != "" {
		fmt.Fprintln(a.stdout, printableLines(reason))
	}
	if due := s.Deadline(); !due.IsZero() && !s.Ended() {
		fmt.Fprintf(a.stdout, "deadline %s\n", due.Local().Format(time.DateTime))
	}
	for _, name := range slices.Sorted(maps.Keys(s.Inputs)) {
		fmt.Fprintf(a.stdout, "input %s\n", described(name, s.Inputs[name]))
	}
	fmt.Fprintln(a.stdout)
	rows := [][]string{{"STEP", "STATE", "TASKS", "TROUBLE", "TOOK", "WROTE"}}
	for _, p := range s.Steps() {
		rows = append(rows, stepRow(p, s.Status, now))
	}
	if err := a.table(rows); err != nil {
		return err
	}
	if skipped := skippedLines(s); len(skipped) > 0 {
		fmt.Fprintln(a.stdout)
		for _, line := range skipped {
			fmt.Fprintln(a.stdout, printable(line))
		}
	}
	return nil
}

func stepRow(p process.Progress, status process.Status, now time.Time) []string {
	took := ""
	switch {
	case !p.EndedAt.IsZero():
		took = duration(p.EndedAt.Sub(p.StartedAt))
	case !p.StartedAt.IsZero():
		took = duration(now.Sub(p.StartedAt))
	}
	var trouble []string
	for _, t := range []struct {
		n    int
		what string
	}{{p.Failures, "failed"}, {p.Losses, "lost"}, {p.Retrying, "to be retried"}, {p.Skipped, "skipped"}} {
		if t.n > 0 {
			trouble = append(trouble, fmt.Sprintf("%d %s", t.n, t.what))
		}
	}
	var wrote []string
	for _, name := range slices.Sorted(maps.Keys(p.Data)) {
		wrote = append(wrote, described(name, p.Data[name]))
	}
	tasks := ""
	if p.Phase != "waiting" {
		tasks = fmt.Sprintf("%d/%d", p.Confirmed, p.Tasks)
	}
	if p.Reused > 0 {
		tasks += fmt.Sprintf(" (%d reused)", p.Reused)
	}
	name, phase := p.Address, p.Phase
	if p.Generation > 0 {
		name = fmt.Sprintf("%s (generation %d)", p.Address, p.Generation)
	}
	if phase == "running" && status != process.Running { // nothing of it is scheduled any more
		phase = map[bool]string{true: "paused", false: "stopped"}[status == process.Paused]
	}
	if p.Unmet != "" {
		phase, tasks = "skipped", ""
		trouble = append(trouble, "it did not hold that "+p.Unmet)
	}
	return []string{name, phase, tasks, strings.Join(trouble, ", "), took, strings.Join(wrote, "; ")}
}

func described(name string, d task.Dataset) string {
	return fmt.Sprintf("%s: %s, %s", name, amount.Of(d.Count, "part"), amount.Bytes(d.Bytes))
}
