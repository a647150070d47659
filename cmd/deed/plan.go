package main

import (
	"context"
	"errors"
	"fmt"
	"strconv"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/deedrun/deed"
	"github.com/deedrun/deed/internal/amount"
	"github.com/deedrun/deed/internal/dryrun"
	"github.com/deedrun/deed/internal/plan"
	"github.com/deedrun/deed/orchestrator/definition"
)

func (a *app) plan() *cobra.Command {
	var o jobOptions
	var assume []string
	var given plan.Options
	cmd := &cobra.Command{
		Use:   "plan FILE --in NAME=PATH…",
		Short: "Say what a run would do, without doing it",
		Long: `Plan walks a definition through the real core as if every task succeeded, and says
how many tasks each step would have, how much they would read and write, and which
of them the cache makes needless. Nothing is started, and nothing is stored.

How much tasks write is recorded in the latest run of the same name that completed, or
in the one that --like names; --assume says it for a name, as parts a task and bytes
a part; else a task is taken to write one part, as large as what it reads.

A condition over values that nobody has written yet is taken to hold, and of a
repeat that has one, one round is planned.`,
		Example: `  deed plan process.yaml --in corpus=books
  deed plan process.yaml --in corpus=books --assume partial=4x1MiB
  deed plan process.yaml --in corpus=books --like word-count-x7 -o json`,
		Args: exactly("FILE"),
		RunE: func(cmd *cobra.Command, args []string) error {
			sizes, err := assumed(assume)
			if err != nil {
				return err
			}
			given.Assume = sizes
			job, err := a.job(cmd.Context(), args[0], o)
			if err != nil {
				return err
			}
			planned, err := a.planned(cmd.Context(), job, given)
			if err != nil {
				return err
			}
			if a.output == "json" {
				return a.printJSON(planned)
			}
			return a.tellPlan(job.Source.Name.Value, planned)
		},
	}
	o.flags(cmd)
	flags := cmd.Flags()
	flags.BoolVar(&o.noCache, "no-cache", false, "plan as if nothing could be reused")
	flags.StringArrayVar(&assume, "assume", nil, "`NAME=PARTSxBYTES` that each task writes to a name, such as partial=4x1MiB; may be repeated")
	flags.StringVar(&given.Like, "like", "", "`ID` of the run to go by")
	a.dataFlag(cmd)
	a.outputFlag(cmd, "json")
	return cmd
}

// planned plans with what the folder, or the server, knows; where there is none
// yet, without.
func (a *app) planned(ctx context.Context, job deed.Job, o plan.Options) (planned *plan.Plan, err error) {
	err = a.attached(ctx, func(ctx context.Context, r *deed.Runtime) error {
		planned, err = plan.Of(ctx, r, job, o)
		return err
	})
	var none *deed.NoFolderError
	if errors.As(err, &none) && o.Like == "" {
		return plan.Of(ctx, nil, job, o)
	}
	return planned, err
}

// assumed reads what tasks write: "partial=4x1MiB", or "partial=1MiB".
func assumed(given []string) (map[string]dryrun.Output, error) {
	all := map[string]dryrun.Output{}
	for _, text := range given {
		name, said, ok := strings.Cut(text, "=")
		parts, bytes, several := strings.Cut(said, "x")
		if !several {
			parts, bytes = "1", said
		}
		n, err := strconv.ParseFloat(parts, 64)
		size, sizeErr := definition.ParseMemory(bytes)
		if !ok || name == "" || errors.Join(err, sizeErr) != nil || !(n >= 0 && n <= dryrun.MaxParts) {
			return nil, usagef("--assume %q: write it as NAME=PARTSxBYTES, such as partial=4x1MiB", text)
		}
		all[name] = dryrun.Output{Parts: n, Bytes: float64(size)}
	}
	return all, nil
}

func (a *app) tellPlan(name string, p *plan.Plan) error {
	rows := [][]string{{"STEP", "TASKS", "REUSED", "READS", "WRITES", "PARTS", "SIZES", "NOTES"}}
	rows = planRows(rows, p.Plan, "")
	if err := a.table(rows); err != nil {
		return err
	}
	total := p.Total()
	run := total.Tasks - total.Reused
	said := fmt.Sprintf("\n%s would execute %s", name, amount.Of(run, "task"))
	if total.Reused > 0 {
		said += fmt.Sprintf(" and take %d from earlier ones", total.Reused)
	}
	said += fmt.Sprintf(", reading %s", amount.Bytes(total.Read))
	if total.Maybe > 0 {
		said += fmt.Sprintf("; %d of those that it executes may turn out to be needless", total.Maybe)
	}
	if p.Like != "" {
		said += fmt.Sprintf("; sizes are those of %s", p.Like)
	}
	if took := time.Duration(total.Took); took > 0 {
		said += fmt.Sprintf("; one after the other they would take %s", duration(took))
	}
	if p.Failed != "" {
		said += "\nIt would fail: " + p.Failed
	}
	_, err := fmt.Fprintln(a.stdout, said)
	return err
}

func planRows(rows [][]string, p *dryrun.Plan, indent string) [][]string {
	for _, s := range p.Steps {
		var notes []string
		if s.Skipped {
			notes = append(notes, "skipped: its condition does not hold")
		}
		if s.When != "" {
			notes = append(notes, "if "+s.When)
		}
		if s.Rounds > 1 {
			notes = append(notes, fmt.Sprintf("1 to %d rounds; this is one", s.Rounds))
		}
		tasks, reused := strconv.Itoa(s.Tasks), ""
		if s.Reused > 0 {
			reused = strconv.Itoa(s.Reused)
		}
		if s.Maybe > 0 {
			notes = append(notes, fmt.Sprintf("%d may be reused", s.Maybe))
		}
		if s.Child != nil {
			children := "children"
			if s.Tasks == 1 {
				children = "child"
			}
			all := s.Child.Total()
			rows = append(rows, []string{
				indent + s.Address, fmt.Sprintf("%d %s", s.Tasks, children), "", amount.Bytes(all.Read), amount.Bytes(all.Written), strconv.Itoa(all.Parts), "", strings.Join(notes, "; "),
			})
			rows = planRows(rows, s.Child, indent+"  ")
			continue
		}
		rows = append(rows, []string{
			indent + s.Address, tasks, reused, amount.Bytes(s.Read), amount.Bytes(s.Written), strconv.Itoa(s.Parts), string(s.Sizes), strings.Join(notes, "; "),
		})
	}
	return rows
}
