package main

import (
	"context"
	"errors"
	"fmt"

	"github.com/spf13/cobra"

	"github.com/deedrun/deed"
)

type submitOptions struct {
	beginOptions
	wait bool
	out  string
}

func (a *app) submitting() *cobra.Command {
	var o submitOptions
	cmd := &cobra.Command{
		Use:   "submit FILE --in NAME=PATH…",
		Short: "Start a process where it is served, and leave it to that",
		Long: `Submit stores the inputs of a process, starts it, prints its ID and returns. It runs
where deed is served: at a server, or in a folder that somebody serves. With --wait
it stays until the end, as deed wait does.

Inputs are given as to deed run. What is not copied, a URL or a link, the workers have
to be allowed to read: deed worker --read. With --id it may be repeated: the same job under the
same ID attaches to the process that is there; another one is refused, with what
differs.`,
		Example: `  deed submit process.yaml --in corpus=books --server http://127.0.0.1:8420
  id=$(deed submit process.yaml --in corpus=books) && deed wait "$id" --out results
  deed submit process.yaml --in corpus=books --id nightly-2026-11-21 --wait`,
		Args: exactly("FILE"),
		RunE: func(cmd *cobra.Command, args []string) error {
			if o.out != "" && !o.wait {
				return usagef("--out is for outputs, which are there at the end: give --wait, too")
			}
			return a.submitProcess(cmd.Context(), args[0], o)
		},
	}
	o.flags(cmd)
	flags := cmd.Flags()
	flags.StringVar(&o.out, "out", "", "with --wait: write the outputs to this directory or `URL`")
	flags.BoolVar(&o.wait, "wait", false, "stay until the process has ended; the exit code says how")
	a.dataFlag(cmd)
	a.outputFlag(cmd, "json")
	return cmd
}

// submittedJSON is what `submit -o json` prints.
type submittedJSON struct {
	ID string `json:"id"`
	At string `json:"at"` // the server or the folder
}

func (a *app) submitProcess(ctx context.Context, file string, o submitOptions) error {
	job, err := a.job(ctx, file, o.jobOptions)
	if err != nil {
		return err
	}
	if err := o.giveID(job); err != nil {
		return err
	}
	p := newProgress(a, o.id)
	begin := a.submit(ctx, job, o.beginOptions)
	err = a.attached(ctx, func(attached context.Context, r *deed.Runtime) error {
		if r.Serving {
			return &deed.NoFolderError{Dir: a.data}
		}
		return begin(attached, r, p)
	})
	p.stop()
	var unserved *deed.NoFolderError
	if errors.As(err, &unserved) {
		return &unservedError{fmt.Sprintf("nobody serves %s, so nothing would run: start %#q, or use deed run, which does it all", a.where(), a.commandLine("up"))}
	}
	var unprepared *unpreparedError
	switch {
	case ctx.Err() != nil && !errors.As(err, &unprepared):
		return err
	case err != nil:
		return refusal(o.id, err)
	case o.wait:
		w := &waiting{app: a, given: o.id, out: o.out}
		return w.untilEnd(ctx)
	case a.output == "json":
		return a.printJSON(submittedJSON{ID: o.id, At: a.where()})
	}
	fmt.Fprintf(a.stderr, "submitted to %s; %s follows it\n", a.where(), a.commandLine("wait", o.id))
	_, err = fmt.Fprintln(a.stdout, o.id)
	return err
}
