package main

import (
	"context"
	"errors"
	"fmt"
	"slices"

	"github.com/spf13/cobra"

	"github.com/deedrun/deed"
	"github.com/deedrun/deed/internal/amount"
	"github.com/deedrun/deed/orchestrator"
	"github.com/deedrun/deed/orchestrator/process"
)

// beginOptions are the flags of the commands that start a process.
type beginOptions struct {
	jobOptions
	id    string
	await bool // workers that offer what nobody offers yet
}

func (o *beginOptions) flags(cmd *cobra.Command) {
	o.jobOptions.flags(cmd)
	flags := cmd.Flags()
	flags.StringVar(&o.id, "id", "", "ID of the process (default: its name and a random ending)")
	flags.BoolVar(&o.noCache, "no-cache", false, "execute also what steps with a cache would take from earlier tasks, and replace that")
	flags.BoolVar(&o.await, "await-workers", false, "begin even if nobody offers some handler yet; its tasks wait for a worker that does")
}

// giveID checks the ID of a process, or makes one.
func (o *beginOptions) giveID(job deed.Job) error {
	if o.id == "" {
		o.id = deed.NewID(job.Source.Name.Value)
	}
	if err := process.CheckID(o.id); err != nil {
		return usagef("--id: %w", err)
	}
	return nil
}

// submit starts the process of a job. Its inputs are read once, whatever
// becomes of the server or of them: standard input cannot be read twice.
func (a *app) submit(ctx context.Context, job deed.Job, o beginOptions) func(context.Context, *deed.Runtime, *progress) error {
	var start *process.StartProcess
	var unprepared error
	return func(attached context.Context, r *deed.Runtime, p *progress) error {
		if unprepared != nil {
			return unprepared
		}
		if start == nil {
			if err := a.checkHandlers(attached, r, job, o); err != nil {
				return err
			}
			prepared, err := r.Prepare(ctx, o.id, job, p.importing)
			switch {
			case isUnavailable(err) && !o.readsStdin():
				return err // what was stored of them is not stored again
			case err != nil:
				unprepared = &unpreparedError{err}
				return unprepared
			}
			start = &prepared
		}
		_, err := r.Start(attached, *start)
		return err
	}
}

// unpreparedError is a process that cannot begin, wherever it is tried.
type unpreparedError struct{ error }

func (e *unpreparedError) Unwrap() error { return e.error }

// checkHandlers refuses to begin what nobody could run. A process that is
// there already is none of that: it may have done its work.
func (a *app) checkHandlers(ctx context.Context, r *deed.Runtime, job deed.Job, o beginOptions) error {
	if o.await {
		return nil
	}
	there, err := orchestrator.IDs(ctx, r.Events, o.id)
	if err != nil || slices.Contains(there, o.id) {
		return err
	}
	var faults *deed.FaultsError
	err = r.CheckHandlers(ctx, job.Source)
	if errors.As(err, &faults) {
		return fmt.Errorf("%s cannot be run; %s:\n%w\nIf a worker that offers it is still to come, add --await-workers", job.Source.File, amount.Of(len(faults.Faults), "fault"), err)
	}
	return err
}
