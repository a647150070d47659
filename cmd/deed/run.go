package main

import (
	"context"
	"path/filepath"
	"time"

	"github.com/spf13/cobra"
)

// runOptions are beginOptions, and what the work is done with that is done here.
type runOptions struct {
	beginOptions
	out     string
	workers int
	idle    bool // this process executes nothing
	lease   time.Duration
	secrets string
	read    []string
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
	o.await = o.await || o.idle
	job, err := a.job(ctx, file, o.jobOptions)
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
		id: o.id, out: o.out, workers: o.workers, idle: o.idle, lease: o.lease, secrets: o.secrets, read: o.read, resume: thisCommand(o.id), collect: thisCommand(o.id), begin: a.submit(ctx, job, o.beginOptions),
	})
}
