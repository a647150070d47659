package main

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/deedrun/deed"
	"github.com/deedrun/deed/api/client"
	"github.com/deedrun/deed/api/wire"
	"github.com/deedrun/deed/internal/amount"
	"github.com/deedrun/deed/internal/upkeep"
	"github.com/deedrun/deed/orchestrator"
	"github.com/deedrun/deed/orchestrator/definition"
)

// drainLook is how often draining looks whether it is over, drainTell after how
// long a worker is told again that has not answered: a signal may be missed.
const (
	drainLook = time.Second / 4
	drainTell = time.Second
)

func (a *app) workerDrain() *cobra.Command {
	pool, wait := "", false
	cmd := &cobra.Command{
		Use:   "drain NAME | --all-of-pool POOL",
		Short: "Make a worker finish what it executes, and leave",
		Long: `Drain tells a worker, wherever it runs, to take nothing more: it finishes what it
executes, hands back what it only holds, and ends. No attempt is spent. What takes
longer than the worker's --drain-timeout is handed back, too.

It returns when the worker has heard it; with --wait, when it has left. A worker that
does not hear it because it is frozen or gone counts as left after a lease.

NAME may be a prefix that only one worker has; deed worker ls lists them. A pool does
not include what is part of a deed run or deed up; those are drained by name.`,
		Example: "  deed worker drain host-4711-9f --wait\n  deed worker drain --all-of-pool gpu",
		Args:    between("NAME of a worker, or --all-of-pool", 0, 1),
		PreRunE: func(_ *cobra.Command, args []string) (err error) {
			switch {
			case (len(args) == 1) == (pool != ""):
				return usagef("give the NAME of a worker, or --all-of-pool")
			case pool == "":
				return nil
			}
			if _, err = definition.ParsePool(pool); err != nil {
				return usagef("--all-of-pool: %w", err)
			}
			return nil
		},
		RunE: func(cmd *cobra.Command, args []string) error {
			return a.looking(cmd.Context(), func(ctx context.Context, r *deed.Runtime) error {
				view, chosen, err := a.meant(ctx, r, args, pool)
				if err != nil {
					return err
				}
				return a.drain(ctx, r, view, chosen, wait)
			})
		},
	}
	flags := cmd.Flags()
	flags.StringVar(&pool, "all-of-pool", "", "every worker of `POOL`; default: of those without one")
	flags.BoolVar(&wait, "wait", false, "until the worker has left")
	a.dataFlag(cmd)
	return cmd
}

// meant finds the workers that a person means. Whoever has just begun to
// orchestrate has not heard all of them yet: who is missing is waited for then.
func (a *app) meant(ctx context.Context, r *deed.Runtime, args []string, pool string) (orchestrator.View, []orchestrator.WorkerView, error) {
	for {
		view, err := a.look(ctx, r, "")
		if err != nil {
			return view, nil, err
		}
		chosen, err := choose(view, args, pool)
		if missing := (*notFoundError)(nil); view.Certain || pool == "" && !errors.As(err, &missing) {
			return view, chosen, err
		}
		select {
		case <-ctx.Done():
			return view, nil, context.Cause(ctx)
		case <-time.After(drainLook):
		}
	}
}

// choose finds the workers that a person means.
func choose(v orchestrator.View, args []string, pool string) ([]orchestrator.WorkerView, error) {
	of := func(w orchestrator.WorkerView) bool {
		return !w.AnyPool && cmp.Or(w.Pool, definition.DefaultPool) == pool
	}
	what := fmt.Sprintf("of the pool %q", pool)
	if len(args) == 1 {
		of = func(w orchestrator.WorkerView) bool { return strings.HasPrefix(w.Worker, args[0]) }
		what = fmt.Sprintf("whose name begins with %q", args[0])
	}
	chosen := slices.DeleteFunc(slices.Clone(v.Workers), func(w orchestrator.WorkerView) bool { return !of(w) })
	named := slices.IndexFunc(chosen, func(w orchestrator.WorkerView) bool { return len(args) == 1 && w.Worker == args[0] })
	switch {
	case named >= 0:
		return chosen[named : named+1], nil
	case len(chosen) == 0:
		return nil, &notFoundError{fmt.Sprintf("no worker is there %s; there are: %s", what, names(v.Workers))}
	case len(chosen) > 1 && len(args) == 1:
		return nil, usagef("several workers are there %s: %s; give more of the name", what, names(chosen))
	}
	return chosen, nil
}

func names(workers []orchestrator.WorkerView) string {
	if len(workers) == 0 {
		return "none"
	}
	const most = 20
	var all []string
	for _, w := range workers[:min(len(workers), most)] {
		all = append(all, w.Worker)
	}
	if more := len(workers) - most; more > 0 {
		all = append(all, fmt.Sprintf("%d more", more))
	}
	return strings.Join(all, ", ")
}

// drain tells the workers until they have heard it, or have left. Who is not
// heard of has left only if whoever says so has listened for long enough.
func (a *app) drain(ctx context.Context, r *deed.Runtime, view orchestrator.View, chosen []orchestrator.WorkerView, wait bool) error {
	heard, told := map[string]bool{}, time.Time{}
	for {
		chosen = slices.DeleteFunc(chosen, func(w orchestrator.WorkerView) bool {
			i := slices.IndexFunc(view.Workers, func(now orchestrator.WorkerView) bool { return now.Worker == w.Worker })
			switch {
			case i < 0 && !view.Certain:
				return false
			case i < 0:
				fmt.Fprintf(a.stdout, "%s has left\n", printable(w.Worker))
				return true
			case view.Workers[i].Draining && !heard[w.Worker]:
				heard[w.Worker] = true
				fmt.Fprintf(a.stdout, "%s takes nothing more%s\n", printable(w.Worker), hasStill(view, view.Workers[i]))
			}
			return heard[w.Worker] && !wait
		})
		if len(chosen) == 0 {
			return nil
		}
		if time.Since(told) >= drainTell {
			told = time.Now()
			for _, w := range chosen {
				if heard[w.Worker] {
					continue
				}
				err := upkeep.Of(r).DrainWorker(ctx, w.Worker)
				if err != nil && !client.IsCode(err, wire.CodeNotFound) { // it has just left: the next look says so
					return err
				}
			}
		}
		select {
		case <-ctx.Done():
			return context.Cause(ctx)
		case <-time.After(drainLook):
		}
		var err error
		if view, err = a.look(ctx, r, ""); err != nil {
			return err
		}
	}
}

// hasStill says what becomes of what a worker has, by its last heartbeat.
func hasStill(v orchestrator.View, w orchestrator.WorkerView) string {
	executing := 0
	for _, t := range v.Running {
		if t.Worker == w.Worker {
			executing++
		}
	}
	switch back := w.Holding - executing; {
	case w.Holding == 0:
		return "; it executes nothing"
	case back <= 0:
		return fmt.Sprintf("; it finishes %s", amount.Of(executing, "task"))
	default:
		return fmt.Sprintf("; it finishes %s, and hands back %d", amount.Of(executing, "task"), back)
	}
}
