package main

import (
	"context"
	"errors"
	"fmt"
	"strconv"
	"time"

	"github.com/spf13/cobra"

	"github.com/deedrun/deed"
	"github.com/deedrun/deed/orchestrator"
	"github.com/deedrun/deed/task"
)

// workersJSON is what `worker ls -o json` prints.
type workersJSON struct {
	Certain bool                      `json:"certain"` // every worker that is there has spoken since
	Workers []orchestrator.WorkerView `json:"workers"`
}

func (a *app) workerLs() *cobra.Command {
	cmd := &cobra.Command{
		Use:   "ls",
		Short: "List the workers that are there, what they have and what they offer",
		Long: `Ls lists the workers by what they say of themselves once a second: the pool whose
tasks they take ("-": those that name none; "any": also those of pools that have no
worker), tasks at a time, tasks they hold, and of what they offer how much is used by
those that they execute.`,
		Example: "  deed worker ls\n  deed worker ls -o json",
		Args:    cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			return a.looking(cmd.Context(), func(ctx context.Context, r *deed.Runtime) error {
				view, err := a.look(ctx, r, "")
				if err != nil {
					return err
				}
				return a.printWorkers(view)
			})
		},
	}
	a.dataFlag(cmd)
	a.outputFlag(cmd, "json")
	return cmd
}

// looking joins whoever serves, for what only an orchestrator can say.
func (a *app) looking(ctx context.Context, look func(context.Context, *deed.Runtime) error) error {
	r, err := a.open(ctx, deed.Options{Join: true, ReadOnly: true})
	if err != nil {
		return err
	}
	defer r.Close()
	served, stop := a.whileServed(ctx, r)
	defer stop()
	if err = look(served, r); errors.Is(context.Cause(served), errServerMoved) {
		return &unservedError{fmt.Sprintf("whoever served %s has ended", a.data)}
	}
	return err
}

func (a *app) printWorkers(v orchestrator.View) error {
	if a.output == "json" {
		return a.printJSON(workersJSON{v.Certain, v.Workers})
	}
	if !v.Certain {
		fmt.Fprintln(a.stderr, notCertain)
	}
	if len(v.Workers) == 0 {
		fmt.Fprintf(a.stdout, "no worker is there; %#q starts one\n", a.commandLine("worker"))
		return nil
	}
	rows := [][]string{{"WORKER", "POOL", "SLOTS", "HOLDING", "USED", "OFFER", "SILENT FOR", "STATE"}}
	for _, w := range v.Workers {
		state := ""
		if w.Draining {
			state = "draining"
		}
		rows = append(rows, []string{
			w.Worker, poolOf(w), strconv.Itoa(w.Slots), strconv.Itoa(w.Holding), resources(w.Used), resources(w.Offer), duration(time.Duration(w.Silent)), state,
		})
	}
	return a.table(rows)
}

func poolOf(w orchestrator.WorkerView) string {
	switch {
	case w.AnyPool:
		return "any"
	case w.Pool == "":
		return "-"
	}
	return w.Pool
}

func resources(r task.Resources) string {
	if r.IsZero() {
		return "-"
	}
	return r.String()
}
