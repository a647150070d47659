package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/deedrun/deed"
	"github.com/deedrun/deed/events"
	"github.com/deedrun/deed/orchestrator"
	"github.com/deedrun/deed/orchestrator/process"
	"github.com/deedrun/deed/queue"
)

type runOptions struct {
	inputs, params, settings []string
	id, out                  string
	workers                  int
}

func (a *app) run() *cobra.Command {
	var o runOptions
	cmd := &cobra.Command{
		Use:   "run FILE --in NAME=PATH…",
		Short: "Run a process here, from its definition to its outputs",
		Long: `Run starts all it needs in this process (event store, queues, orchestrator,
workers), submits the process, waits for its end and writes its outputs. All of
it lies in the folder --data; a second run on that folder joins the first, and
whatever was left unfinished there goes on.

--in takes a file, a directory (each file a part, its key the folder), a pattern,
or - for standard input; repeat it for more. With --id the run is idempotent: the
same job under the same ID attaches to the process that is there and resumes it;
another job under that ID is refused, with what differs.

Outputs are written to --out as NAME, if one task wrote it as one part, else as
NAME/[KEY/]FILE. Small texts among them are printed, too.`,
		Example: `  deed run examples/wordcount/process.yaml --in corpus=examples/wordcount/corpus
  deed run process.yaml --in corpus='logs/*.txt' --param top=5 --set count.timeout=1m
  cat words.txt | deed run process.yaml --in corpus=- --id nightly-2026-11-21`,
		Args: exactly("FILE"),
		RunE: func(cmd *cobra.Command, args []string) error { return a.runProcess(cmd.Context(), args[0], o) },
	}
	flags := cmd.Flags()
	flags.StringArrayVar(&o.inputs, "in", nil, "`NAME=PATH` of an input; may be repeated")
	flags.StringArrayVar(&o.params, "param", nil, "`NAME=VALUE` of a parameter")
	flags.StringArrayVar(&o.settings, "set", nil, "`ADDRESS.SETTING=VALUE`, such as count.timeout=5m")
	flags.StringVar(&o.id, "id", "", "ID of the process (default: its name and a random ending)")
	flags.StringVar(&o.out, "out", "", "directory for the outputs (default out/<id>)")
	flags.IntVar(&o.workers, "workers", 0, "tasks at a time (default: one a core)")
	a.dataFlag(cmd)
	a.outputFlag(cmd, "json")
	return cmd
}

func (a *app) runProcess(ctx context.Context, file string, o runOptions) error {
	if o.workers < 0 {
		return usagef("--workers %d: give 1 or more", o.workers)
	}
	job, err := a.job(ctx, file, o)
	if err != nil {
		return err
	}
	if o.id == "" {
		o.id = deed.NewID(job.Source.Name.Value)
	}
	if err := process.CheckID(o.id); err != nil {
		return usagef("--id: %w", err)
	}
	if o.out == "" {
		o.out = filepath.Join("out", o.id)
	}
	began := time.Now()
	r, result, err := a.attend(ctx, job, o)
	if r != nil {
		defer r.Close()
	}
	switch {
	case ctx.Err() != nil:
		fmt.Fprintf(a.stderr, "\ninterrupted; what is done is kept. To resume:\n  %s\n", again(o.id))
		return errors.Join(errSaid, errInterrupted)
	case errors.Is(err, deed.ErrFailed):
		return a.failed(o.id, err)
	case err != nil:
		return err
	}
	paths, err := result.Export(ctx, o.out)
	if err != nil {
		return a.notWritten(o.id, paths, err)
	}
	return a.report(ctx, result, o, paths, time.Since(began))
}

// job reads the command line into a job.
func (a *app) job(ctx context.Context, file string, o runOptions) (deed.Job, error) {
	source, err := parseFile(ctx, file)
	if err != nil {
		return deed.Job{}, definitionError(file, err)
	}
	job := deed.Job{Source: source, Inputs: map[string]deed.Input{}}
	if job.Params, err = pairs("--param", o.params); err != nil {
		return job, err
	}
	if job.Settings, err = pairs("--set", o.settings); err != nil {
		return job, err
	}
	paths := map[string][]string{}
	for _, in := range o.inputs {
		name, path, ok := strings.Cut(in, "=")
		if !ok || name == "" || path == "" {
			return job, usagef("--in %q: write it as NAME=PATH", in)
		}
		paths[name] = append(paths[name], path)
	}
	stdin := ""
	for name, p := range paths {
		if slices.Contains(p, "-") {
			if len(p) > 1 {
				return job, usagef("--in %s=-: standard input is all of an input; write a file that is called - as ./-", name)
			}
			if stdin != "" {
				return job, usagef("--in %s=- and --in %s=-: standard input can be read once", stdin, name)
			}
			stdin = name
			job.Inputs[name] = deed.Stream(interruptible(ctx, a.stdin))
			continue
		}
		job.Inputs[name] = deed.Files(p...)
	}
	return job, nil
}

func pairs(flag string, given []string) (map[string]string, error) {
	m := map[string]string{}
	for _, s := range given {
		name, value, ok := strings.Cut(s, "=")
		if !ok || name == "" {
			return nil, usagef("%s %q: write it as NAME=VALUE", flag, s)
		}
		if _, twice := m[name]; twice {
			return nil, usagef("%s %s is given twice", flag, name)
		}
		m[name] = value
	}
	return m, nil
}

// attend starts the process and follows it to its end. If the server that it
// joined ends before, it goes on with the next one, or is that itself.
func (a *app) attend(ctx context.Context, job deed.Job, o runOptions) (*deed.Runtime, *deed.Result, error) {
	p := newProgress(a, o.id)
	defer p.stop()
	var start *process.StartProcess
	for {
		r, err := deed.Open(ctx, deed.Options{
			Dir: a.data, Handlers: handlers(), Workers: o.workers, Log: a.log(), Failpoint: failpoint(),
		})
		if err != nil {
			return nil, nil, err
		}
		a.sayUnfinished(ctx, r, o.id)
		if start == nil { // once, and whatever becomes of the server: standard input cannot be read twice
			prepared, err := r.Prepare(ctx, o.id, job, p.importing)
			if err != nil {
				return r, nil, err
			}
			start = &prepared
		}
		attached, stop := a.whileServed(ctx, r)
		result, err := follow(attached, r, *start, p)
		moved := errors.Is(context.Cause(attached), errServerMoved) || !r.Serving && isUnavailable(err)
		stop()
		if err == nil || !moved || ctx.Err() != nil || errors.Is(err, deed.ErrFailed) {
			return r, result, err
		}
		r.Close()
	}
}

// sayUnfinished tells what else goes on now, since this process serves the folder.
func (a *app) sayUnfinished(ctx context.Context, r *deed.Runtime, id string) {
	if !r.Serving {
		return
	}
	ids, err := orchestrator.Unfinished(ctx, r.Events)
	if err != nil {
		return // what follows says it better
	}
	if ids = slices.DeleteFunc(ids, func(other string) bool { return other == id }); len(ids) > 0 {
		fmt.Fprintf(a.stderr, "going on with what was unfinished in %s: %s\n", a.data, strings.Join(ids, ", "))
	}
}

func follow(ctx context.Context, r *deed.Runtime, start process.StartProcess, p *progress) (*deed.Result, error) {
	if _, err := r.Start(ctx, start); err != nil {
		return nil, err
	}
	return r.Wait(ctx, start.ID, p.update)
}

func isUnavailable(err error) bool {
	return errors.Is(err, events.ErrUnavailable) || errors.Is(err, queue.ErrUnavailable)
}

// definitionError explains why a definition cannot be used.
func definitionError(file string, err error) error {
	var faults *deed.FaultsError
	switch {
	case errors.As(err, &faults):
		return fmt.Errorf("%s cannot be run; %s:\n%w", file, plural(len(faults.Faults), "fault"), err)
	case errors.Is(err, os.ErrNotExist):
		return &usageError{fmt.Errorf("there is no definition %q", file)}
	}
	return &usageError{err}
}
