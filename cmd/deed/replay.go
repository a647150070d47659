package main

import (
	"context"
	"errors"
	"fmt"
	"strings"

	"github.com/spf13/cobra"

	"github.com/deedrun/deed"
	"github.com/deedrun/deed/internal/whatif"
	"github.com/deedrun/deed/orchestrator"
	"github.com/deedrun/deed/orchestrator/definition"
	"github.com/deedrun/deed/orchestrator/process"
)

type replayOptions struct {
	with             string
	params, settings []string
}

func (a *app) replay() *cobra.Command {
	var o replayOptions
	cmd := &cobra.Command{
		Use:   "replay ID --with FILE | --set ADDRESS.SETTING=VALUE…",
		Short: "Tell what would have happened to a process under another definition",
		Long: `Replay folds the recorded history of a process a second time, as if it had been
started with the definition in FILE, or with other settings. Nothing runs, and the
process stays as it is. It tells where the two histories part, which tasks would run
that did not and the other way round, and how it would have ended, as far as the
recorded results tell.

Parameters keep the values that the process was started with, unless --param says
otherwise. --set may be given with --with, too: it changes the definition in FILE.

It exits with 0 whether they part or not.

` + whichID,
		Example: "  deed replay @latest --set count.retry.attempts=5\n  deed replay word-count-x7 --with process.yaml --param top=30 -o json",
		Args:    exactly("ID"),
		RunE:    func(cmd *cobra.Command, args []string) error { return a.replayProcess(cmd.Context(), args[0], o) },
	}
	flags := cmd.Flags()
	flags.StringVar(&o.with, "with", "", "`FILE` of the definition to begin with instead")
	flags.StringArrayVar(&o.params, "param", nil, "`NAME=VALUE` of a parameter that is to be another, with --with")
	flags.StringArrayVar(&o.settings, "set", nil, "`ADDRESS.SETTING=VALUE`, such as count.timeout=5m; may be repeated")
	a.dataFlag(cmd)
	a.outputFlag(cmd, "json")
	return cmd
}

func (a *app) replayProcess(ctx context.Context, given string, o replayOptions) error {
	job, err := o.job(ctx)
	if err != nil {
		return err
	}
	var report whatif.Report
	err = a.attached(ctx, func(ctx context.Context, r *deed.Runtime) error {
		id, err := a.resolveID(ctx, r, given)
		if err != nil {
			return err
		}
		if report, err = tellAgain(ctx, r, id, a.change(ctx, r, job, o)); err != nil {
			return replayError(id, err)
		}
		return nil
	})
	if err != nil {
		return err
	}
	if a.output == "json" {
		return a.printJSON(report)
	}
	_, err = fmt.Fprint(a.stdout, printableLines(report.String()))
	return err
}

// tellAgain folds the history of a process under a change, event by event.
func tellAgain(ctx context.Context, r *deed.Runtime, id string, change whatif.Change) (whatif.Report, error) {
	replay := whatif.New(change)
	for stored, err := range orchestrator.History(ctx, r.Archive, id) {
		if err != nil {
			return whatif.Report{}, err
		}
		e, err := process.Decode(process.Stored(stored.Record))
		if err != nil {
			return whatif.Report{}, fmt.Errorf("event %d: %w", stored.Version, err)
		}
		if err := replay.Next(e); err != nil {
			return whatif.Report{}, err
		}
	}
	return replay.Report()
}

// job reads the definition to begin with; without one, its source is nil.
func (o replayOptions) job(ctx context.Context) (deed.Job, error) {
	var job deed.Job
	var err error
	switch {
	case o.with == "" && len(o.settings) == 0:
		return job, usagef("what should have been different? Give --with FILE, or --set ADDRESS.SETTING=VALUE")
	case o.with == "" && len(o.params) > 0:
		return job, usagef("--param changes a parameter of the definition in a file: give --with FILE, too")
	}
	if _, err = pairs("--set", o.settings); err != nil {
		return job, err
	}
	if job.Params, err = pairs("--param", o.params); err != nil || o.with == "" {
		return job, err
	}
	if job.Source, err = parseFile(ctx, o.with); err != nil {
		return job, definitionError(o.with, err)
	}
	return job, nil
}

// change is what the options make of a definition. A file holds from the
// beginning to the end: what persons revised the recorded one to is not looked at.
func (a *app) change(ctx context.Context, r *deed.Runtime, job deed.Job, o replayOptions) whatif.Change {
	var file *definition.Definition
	return func(def definition.Definition) (definition.Definition, error) {
		if job.Source != nil && file == nil {
			c, err := r.Revision(ctx, process.State{Definition: &def}, job)
			if err != nil {
				return def, definitionError(o.with, err)
			}
			file = &c.Definition
			a.sayKept(process.State{Definition: &def}, job)
		}
		if file != nil {
			def = *file
		}
		for _, s := range o.settings {
			setting, value, _ := strings.Cut(s, "=")
			var err error
			if def, err = definition.Set(def, setting, value); err != nil {
				return def, &usageError{err}
			}
		}
		return def, nil
	}
}

// replayError tells a definition that the process could not have begun with
// from a history that cannot be read.
func replayError(id string, err error) error {
	var refused *process.RefusedError
	var input *whatif.InputError
	switch {
	case exitCode(err) == exitUsage:
		return err
	case errors.As(err, &refused), errors.As(err, &input):
		return &usageError{fmt.Errorf("%s could not have been started so: %w", id, err)}
	}
	return fmt.Errorf("replay %s: %w", id, err)
}
