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
	"github.com/deedrun/deed/orchestrator"
	"github.com/deedrun/deed/orchestrator/process"
	"github.com/deedrun/deed/task"
)

func (a *app) show() *cobra.Command {
	cmd := &cobra.Command{
		Use:     "show ID",
		Short:   "Show where a process stands",
		Long:    "Show folds the history of a process and prints its steps, their counts, timings and outputs.\n\nID may be a prefix that only one process has, or @latest.",
		Example: "  deed show @latest\n  deed show word-count-x7 -o json",
		Args:    exactly("ID"),
		RunE: func(cmd *cobra.Command, args []string) error {
			var state process.State
			err := a.reading(cmd.Context(), func(ctx context.Context, r *deed.Runtime) error {
				id, err := a.resolveID(ctx, r, args[0])
				if err == nil {
					state, err = orchestrator.Load(ctx, r.Events, id)
				}
				return err
			})
			if err != nil {
				return err
			}
			if a.output == "json" {
				return a.printJSON(shown(state))
			}
			return a.printState(state)
		},
	}
	a.dataFlag(cmd)
	a.outputFlag(cmd, "json")
	return cmd
}

// stateJSON is what `show -o json` prints.
type stateJSON struct {
	ID         string                  `json:"id"`
	Name       string                  `json:"name"`
	Definition string                  `json:"definitionVersion,omitempty"`
	Hash       string                  `json:"definitionHash"`
	Status     process.Status          `json:"status"`
	Reason     string                  `json:"reason,omitempty"`
	Events     uint64                  `json:"events"`
	StartedAt  time.Time               `json:"startedAt"`
	EndedAt    time.Time               `json:"endedAt,omitzero"`
	Inputs     map[string]task.Dataset `json:"inputs,omitempty"`
	Steps      []process.Progress      `json:"steps"`
	Outputs    map[string]task.Dataset `json:"outputs,omitempty"`
	Damage     string                  `json:"damage,omitempty"`
}

func shown(s process.State) stateJSON {
	j := stateJSON{
		ID: s.ID, Hash: s.Hash, Status: s.Status, Events: s.Version, StartedAt: s.StartedAt, EndedAt: s.EndedAt,
		Inputs: s.Inputs, Steps: s.Steps(), Outputs: map[string]task.Dataset{},
	}
	if s.Failure != nil {
		j.Reason = s.Failure.String()
	}
	if err := s.Damage(); err != nil {
		j.Damage = err.Error()
	}
	if s.Definition != nil {
		j.Name, j.Definition = s.Definition.Name, s.Definition.Version
		for _, name := range s.Definition.Outputs {
			if d, ok := s.Data(name); ok {
				j.Outputs[name] = d
			}
		}
	}
	return j
}

func (a *app) printState(s process.State) error {
	if err := s.Damage(); err != nil {
		fmt.Fprintln(a.stderr, "deed:", err)
	}
	if s.Definition == nil {
		return nil
	}
	took := time.Since(s.StartedAt)
	if s.Ended() {
		took = s.EndedAt.Sub(s.StartedAt)
	}
	version := ""
	if s.Definition.Version != "" {
		version = " version " + s.Definition.Version
	}
	fmt.Fprintf(a.stdout, "%s  %s%s  %s\n", s.ID, s.Definition.Name, version, s.Status)
	fmt.Fprintf(a.stdout, "started %s, %s %s; %s\n", s.StartedAt.Local().Format(time.DateTime),
		map[bool]string{true: "took", false: "running for"}[s.Ended()], duration(took), plural(int(s.Version), "event"))
	if s.Failure != nil {
		fmt.Fprintln(a.stdout, printable(s.Failure.String()))
	}
	for _, name := range slices.Sorted(maps.Keys(s.Inputs)) {
		fmt.Fprintf(a.stdout, "input %s\n", described(name, s.Inputs[name]))
	}
	fmt.Fprintln(a.stdout)
	rows := [][]string{{"STEP", "STATE", "TASKS", "TROUBLE", "TOOK", "WROTE"}}
	for _, p := range s.Steps() {
		rows = append(rows, stepRow(p))
	}
	return a.table(rows)
}

func stepRow(p process.Progress) []string {
	took := ""
	switch {
	case !p.EndedAt.IsZero():
		took = duration(p.EndedAt.Sub(p.StartedAt))
	case !p.StartedAt.IsZero():
		took = duration(time.Since(p.StartedAt))
	}
	var trouble []string
	for _, t := range []struct {
		n    int
		what string
	}{{p.Failures, "failed"}, {p.Losses, "lost"}, {p.Retrying, "to be retried"}} {
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
	return []string{p.Address, p.Phase, tasks, strings.Join(trouble, ", "), took, strings.Join(wrote, "; ")}
}

func described(name string, d task.Dataset) string {
	return fmt.Sprintf("%s: %s, %s", name, plural(d.Count, "part"), bytesOf(d.Bytes))
}
