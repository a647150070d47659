package main

import (
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strconv"
	"time"

	"github.com/spf13/cobra"

	"github.com/deedrun/deed"
	"github.com/deedrun/deed/orchestrator"
)

func (a *app) timeouts() *cobra.Command {
	watch := false
	cmd := &cobra.Command{
		Use:   "timeouts [ID]",
		Short: "Show what is running right now, for how long, and who runs it",
		Long: `Timeouts shows the view that the timeout manager reads: what workers say once a
second that they execute, joined with what the processes know. It is the memory
of whoever serves the folder, so somebody has to. Right after a start it is not
certain: a worker that has not spoken for a lease may still hold something.

` + whichID,
		Example: "  deed timeouts\n  deed timeouts word-count-x7 --watch\n  deed timeouts -o json",
		Args:    between("ID, or nothing", 0, 1),
		RunE: func(cmd *cobra.Command, args []string) error {
			r, err := a.open(cmd.Context(), deed.Options{Join: true, ReadOnly: true})
			if err != nil {
				return err
			}
			defer r.Close()
			id := ""
			if len(args) == 1 {
				if id, err = a.resolveID(cmd.Context(), r, args[0]); err != nil {
					return err
				}
			}
			ctx, stop := a.whileServed(cmd.Context(), r)
			defer stop()
			if err = a.showTimeouts(ctx, r, id, watch); errors.Is(context.Cause(ctx), errServerMoved) {
				err = &unservedError{fmt.Sprintf("whoever served %s has ended", a.where())}
			}
			return err
		},
	}
	cmd.Flags().BoolVar(&watch, "watch", false, "show it again every second, until Ctrl-C")
	a.dataFlag(cmd)
	a.outputFlag(cmd, "json")
	return cmd
}

func (a *app) showTimeouts(ctx context.Context, r *deed.Runtime, id string, watch bool) error {
	for {
		view, err := a.lookAtFamily(ctx, r, id)
		if err != nil {
			return err
		}
		if err := a.printView(view, id, watch); err != nil || !watch {
			return err
		}
		select {
		case <-ctx.Done():
			return context.Cause(ctx)
		case <-time.After(time.Second):
		}
	}
}

// look asks the orchestrator; one that does not answer is an error.
func (a *app) look(ctx context.Context, r *deed.Runtime, id string) (orchestrator.View, error) {
	silent := &unservedError{fmt.Sprintf("whoever serves %s does not answer: it may be stuck, or of an older version", a.where())}
	within, cancel := context.WithTimeoutCause(ctx, lookWithin, silent)
	defer cancel()
	return r.Look(within, id)
}

func (a *app) printView(v orchestrator.View, id string, watch bool) error {
	if a.output == "json" && watch {
		return json.NewEncoder(a.stdout).Encode(v)
	}
	if a.output == "json" {
		return a.printJSON(v)
	}
	if watch {
		if isTerminal(a.stdout) {
			fmt.Fprint(a.stdout, "\x1b[H\x1b[2J")
		}
		fmt.Fprintf(a.stdout, "%s\n", time.Now().Format(time.TimeOnly))
	}
	if !v.Certain {
		fmt.Fprintln(a.stdout, notCertain)
	}
	if len(v.Running) == 0 {
		fmt.Fprintln(a.stdout, "nothing is running")
	} else if err := a.table(runningRows(v.Running)); err != nil {
		return err
	}
	fmt.Fprintln(a.stdout)
	if len(v.Workers) == 0 {
		fmt.Fprintf(a.stdout, "no worker is there; %#q starts one\n", a.commandLine("worker"))
	} else if err := a.table(workerRows(v.Workers)); err != nil {
		return err
	}
	if len(v.Queues) > 0 {
		fmt.Fprintln(a.stdout)
		if err := a.table(queueRows(v.Queues)); err != nil {
			return err
		}
	}
	if id != "" && len(v.Queues) == 0 {
		fmt.Fprintf(a.stdout, "\n%s has ended\n", id)
	}
	if watch {
		fmt.Fprintln(a.stdout)
	}
	return nil
}

// runningRows put those first that are the furthest over their timeout.
func runningRows(running []orchestrator.RunningTask) [][]string {
	rows := [][]string{{"PROCESS", "TASK", "ATTEMPT", "WORKER", "FOR", "TIMEOUT", "OVER", "SAYS"}}
	running = slices.Clone(running)
	slices.SortStableFunc(running, func(x, y orchestrator.RunningTask) int { return cmp.Compare(over(y), over(x)) })
	for _, t := range running {
		name := fmt.Sprintf("%s[%d]", t.Address, t.Index)
		if t.Generation > 0 {
			name = fmt.Sprintf("%s~%d[%d]", t.Address, t.Generation, t.Index)
		}
		attempt := strconv.Itoa(t.Attempt)
		if t.Stale {
			attempt += " (out of date)"
		}
		timeout, late := "-", ""
		if t.Timeout > 0 {
			timeout = t.Timeout.String()
		}
		if d := over(t); d > 0 {
			late = duration(d)
		}
		rows = append(rows, []string{t.Process, name, attempt, t.Worker, duration(time.Duration(t.Elapsed)), timeout, late, says(t)})
	}
	if !slices.ContainsFunc(rows[1:], func(row []string) bool { return row[len(row)-1] != "" }) {
		for i, row := range rows {
			rows[i] = row[:len(row)-1]
		}
	}
	return rows
}

// says is how far a task says it is: "40%, page 3".
func says(t orchestrator.RunningTask) string {
	message := shortened(printable(t.Message), 60)
	switch {
	case t.Progress > 0 && message != "":
		return fmt.Sprintf("%.0f%%, %s", 100*t.Progress, message)
	case t.Progress > 0:
		return fmt.Sprintf("%.0f%%", 100*t.Progress)
	}
	return message
}

// over is how far a task is beyond its timeout, if it is.
func over(t orchestrator.RunningTask) time.Duration {
	if t.Timeout == 0 {
		return 0
	}
	return max(time.Duration(t.Elapsed-t.Timeout), 0)
}

func workerRows(workers []orchestrator.WorkerView) [][]string {
	rows := [][]string{{"WORKER", "SLOTS", "HOLDING", "SILENT FOR"}}
	for _, w := range workers {
		rows = append(rows, []string{w.Worker, strconv.Itoa(w.Slots), strconv.Itoa(w.Holding), duration(time.Duration(w.Silent))})
	}
	return rows
}

func queueRows(queues []orchestrator.QueueView) [][]string {
	rows := [][]string{{"PROCESS", "PENDING", "QUEUED", "NEXT RETRY IN", "LATE RESULTS"}}
	for _, q := range queues {
		retry := "-"
		if q.Retries > 0 {
			retry = duration(time.Duration(q.Retries))
		}
		rows = append(rows, []string{q.Process, strconv.Itoa(q.Pending), strconv.Itoa(q.Queued), retry, strconv.Itoa(q.Late)})
	}
	return rows
}

// lookAtFamily is look, with the processes below one, if there are some.
func (a *app) lookAtFamily(ctx context.Context, r *deed.Runtime, id string) (orchestrator.View, error) {
	if id != "" {
		if s, err := orchestrator.Load(ctx, r.Archive, id); err != nil || !hasChildren(s, "") {
			return a.look(ctx, r, id)
		}
	}
	view, err := a.look(ctx, r, "")
	if err != nil || id == "" {
		return view, err
	}
	return a.ofFamily(ctx, r, view, id)
}
