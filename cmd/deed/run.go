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
	"github.com/deedrun/deed/orchestrator"
	"github.com/deedrun/deed/orchestrator/process"
)

type runOptions struct {
	inputs, links, params, settings []string
	id, out                         string
	workers                         int
	await                           bool // workers that offer what nobody offers yet
	idle                            bool // this process executes nothing
	noCache                         bool // what equal tasks left is not used
	lease                           time.Duration
	secrets                         string
	read                            []string
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

With --server all of it runs there: run stores the inputs, follows the process and
brings its outputs. It goes on if run is interrupted.

--in takes a file, a directory (each file a part, its key the folder), a pattern,
or - for standard input; repeat it for more. A URL, such as s3://bucket/folder/, is
read where it lies and not copied, and so are the files that --link takes: what
changes or goes away meanwhile fails the tasks that read it. With --id the run is idempotent: the
same job under the same ID attaches to the process that is there and resumes it;
another job under that ID is refused, with what differs.

Outputs are written to --out, a directory or a URL, as NAME, if one task wrote it as one part, else as
NAME/[KEY/]FILE. Small texts among them are printed, too.`,
		Example: `  deed run examples/wordcount/process.yaml --in corpus=examples/wordcount/corpus
  deed run process.yaml --in corpus='logs/*.txt' --param top=5 --set count.timeout=1m
  cat words.txt | deed run process.yaml --in corpus=- --id nightly-2026-11-21`,
		Args: exactly("FILE"),
		RunE: func(cmd *cobra.Command, args []string) error { return a.runProcess(cmd.Context(), args[0], o) },
	}
	o.flags(cmd)
	flags := cmd.Flags()
	flags.StringVar(&o.out, "out", "", "directory or `URL` for the outputs (default out/<id>)")
	readFlag(flags, &o.read)
	flags.IntVar(&o.workers, "workers", 0, "tasks at a time (default: one a core)")
	secretsFlag(flags, &o.secrets)
	flags.BoolVar(&o.idle, "no-workers", false, "execute nothing in this process: that is left to workers that join")
	flags.DurationVar(&o.lease, "lease", 10*time.Second, "after how long others do what a silent worker holds, if this process serves the folder; 1s or more")
	a.dataFlag(cmd)
	a.outputFlag(cmd, "json")
	return cmd
}

// flags are those that say which process is to be started.
func (o *runOptions) flags(cmd *cobra.Command) {
	flags := cmd.Flags()
	flags.StringArrayVar(&o.inputs, "in", nil, "`NAME=PATH` of an input, or its URL; may be repeated")
	flags.StringArrayVar(&o.links, "link", nil, "`NAME=PATH` of an input that is read where it lies; may be repeated")
	flags.StringArrayVar(&o.params, "param", nil, "`NAME=VALUE` of a parameter")
	flags.StringArrayVar(&o.settings, "set", nil, "`ADDRESS.SETTING=VALUE`, such as count.timeout=5m")
	flags.StringVar(&o.id, "id", "", "ID of the process (default: its name and a random ending)")
	flags.BoolVar(&o.noCache, "no-cache", false, "execute also what steps with a cache would take from earlier tasks, and replace that")
	flags.BoolVar(&o.await, "await-workers", false, "begin even if nobody offers some handler yet; its tasks wait for a worker that does")
}

func (a *app) runProcess(ctx context.Context, file string, o runOptions) error {
	if err := a.checkRemote("run", "workers", "no-workers", "lease", "secrets", "read"); err != nil {
		return err
	}
	if o.workers < 0 {
		return usagef("--workers %d: give 1 or more", o.workers)
	}
	if o.idle && o.workers > 0 {
		return usagef("--workers and --no-workers: give one")
	}
	if o.lease < time.Second {
		return usagef("--lease %s: give 1s or more; workers speak once a second", o.lease)
	}
	job, err := a.job(ctx, file, o)
	if err != nil {
		return err
	}
	if err := o.giveID(job); err != nil {
		return err
	}
	if o.out == "" {
		o.out = filepath.Join("out", o.id)
	}
	return a.attend(ctx, attendance{
		id: o.id, out: o.out, workers: o.workers, idle: o.idle, lease: o.lease, secrets: o.secrets, read: o.read, resume: again(o.id), collect: again(o.id), begin: a.submit(ctx, job, o),
	})
}

// submit starts the process of a job. Its inputs are read once, whatever
// becomes of the server or of them: standard input cannot be read twice.
func (a *app) submit(ctx context.Context, job deed.Job, o runOptions) func(context.Context, *deed.Runtime, *progress) error {
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

// readsStdin reports whether an input is standard input.
func (o runOptions) readsStdin() bool {
	return slices.ContainsFunc(o.inputs, func(in string) bool { return strings.HasSuffix(in, "=-") })
}

// unpreparedError is a process that cannot begin, wherever it is tried.
type unpreparedError struct{ error }

func (e *unpreparedError) Unwrap() error { return e.error }

// checkHandlers refuses to begin what nobody could run. A process that is
// there already is none of that: it may have done its work.
func (a *app) checkHandlers(ctx context.Context, r *deed.Runtime, job deed.Job, o runOptions) error {
	if o.await || o.idle {
		return nil
	}
	there, err := orchestrator.IDs(ctx, r.Events, o.id)
	if err != nil || slices.Contains(there, o.id) {
		return err
	}
	var faults *deed.FaultsError
	err = r.CheckHandlers(ctx, job.Source)
	if errors.As(err, &faults) {
		return fmt.Errorf("%s cannot be run; %s:\n%w\nIf a worker that offers it is still to come, add --await-workers", job.Source.File, plural(len(faults.Faults), "fault"), err)
	}
	return err
}

// job reads the command line into a job.
func (a *app) job(ctx context.Context, file string, o runOptions) (deed.Job, error) {
	source, err := parseFile(ctx, file)
	if err != nil {
		return deed.Job{}, definitionError(file, err)
	}
	job := deed.Job{Source: source, Inputs: map[string]deed.Input{}, By: person(), NoCache: o.noCache}
	if job.Params, err = pairs("--param", o.params); err != nil {
		return job, err
	}
	if job.Settings, err = pairs("--set", o.settings); err != nil {
		return job, err
	}
	paths, err := namedPaths("--in", o.inputs)
	if err != nil {
		return job, err
	}
	links, err := namedPaths("--link", o.links)
	if err != nil {
		return job, err
	}
	for name, p := range links {
		if _, both := paths[name]; both {
			return job, usagef("--in %s and --link %s: all of an input is copied, or none; give one of them", name, name)
		}
		job.Inputs[name] = deed.Linked(p...)
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

// namedPaths are the paths that are given for each name.
func namedPaths(flag string, given []string) (map[string][]string, error) {
	paths := map[string][]string{}
	for _, in := range given {
		name, path, ok := strings.Cut(in, "=")
		if !ok || name == "" || path == "" {
			return nil, usagef("%s %q: write it as NAME=PATH", flag, in)
		}
		paths[name] = append(paths[name], path)
	}
	return paths, nil
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
