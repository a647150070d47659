package main

import (
	"context"
	"fmt"
	"os"
	"os/signal"
	"syscall"

	"github.com/spf13/cobra"

	"github.com/deedrun/deed"
)

func (a *app) worker() *cobra.Command {
	o := deed.Options{Join: true}
	attached := false
	var allow allowed
	var watched metricsFlags
	cmd := &cobra.Command{
		Use:   "worker",
		Short: "Compete for tasks, as one more worker process",
		Long: `Worker joins the server of a folder, or one at an address, and executes tasks
until it is stopped. Start as many as you like. A worker of a folder waits while
nobody serves it, and goes on with the next server.

It takes the tasks of one pool: of --pool, or else those of the steps that name
none. What the tasks that it executes need together is never more than it offers:
--cpu, --memory and --gpu; a task that would never fit, or that is for a handler it
does not offer, goes to another worker.

A worker of a folder runs whatever programs the definitions say. One that joins by
--nats runs none but those that --allow names: a definition alone never gets to run a
program on somebody's worker. --allow takes the words of a command line. * stands for
what is in one word between slashes, and as the last word for any words that follow:

  --allow 'python3 count.py *'   python3 with count.py and any further arguments
  --allow './tools/*'            what lies in that folder of the definition, no arguments
  --allow sh                     scripts (sh: in a definition), which can do anything
  --allow '*'                    everything

It says what is started, not what a file that comes with a definition contains. Of
the variables that a step sets for a program, --allow-env names those that it may: one
like LD_PRELOAD can make it load anything. Scripts and handlers may be given any.

A secret that a step names is looked for in the environment of the worker, pg-main in
DEED_SECRET_PG_MAIN, and then in the file of that name in --secrets. Whoever may
submit a process whose tasks this worker takes can use all of its secrets.

Data that lies elsewhere, in buckets or on disks, is read where --read says, and in a
folder also what was given to a run there as an input; see docs/inputs.md.

On SIGTERM or Ctrl-C, or when deed worker drain names it, it finishes what it executes,
for --drain-timeout at most, and hands back the rest, which costs no attempt; a second
signal ends it at once, and what it had is given to others.`,
		Example: `  deed worker
  deed worker --data /srv/deed --concurrency 8 --pool gpu --gpu 1 --memory 24GiB
  deed worker --nats nats://127.0.0.1:4222 --blobs file:///srv/blobs --handlers 'words/*' --allow 'wc *'`,
		Args: cobra.NoArgs,
		PreRunE: func(cmd *cobra.Command, _ []string) error {
			switch {
			case o.Workers < 0:
				return usagef("--concurrency %d: give 1 or more", o.Workers)
			case o.DrainTimeout < 0:
				return usagef("--drain-timeout %s: give 0 or more", o.DrainTimeout)
			case o.Server != "" && cmd.Flags().Changed("data"):
				return usagef("--data and --nats are two ways to say where the server is; give one")
			case (o.Server == "") != (o.Blobs == ""):
				return usagef("--nats and --blobs belong together: give both")
			}
			if err := watched.check(watched.tlsCert != ""); err != nil {
				return err
			}
			if err := checkAllowEnv(o); err != nil {
				return err
			}
			if err := checkNATS(o); err != nil {
				return err
			}
			return allow.check(&o)
		},
		RunE: func(cmd *cobra.Command, _ []string) error {
			o.Handlers, o.Version, o.Log, o.Failpoint = handlers(), built().Version, a.log(), failpoint()
			if o.Server == "" {
				o.Dir = a.data
			}
			o.Token = os.Getenv("DEED_NATS_TOKEN")
			ctx := cmd.Context()
			if attached {
				var detach context.CancelFunc
				ctx, detach = a.whileAttached(ctx)
				defer detach()
			}
			o.Metrics = watched.metrics()
			m := &monitor{metrics: o.Metrics}
			end, err := a.monitored(ctx, watched, nil, m)
			if err != nil {
				return err
			}
			defer end()
			return a.workUntil(ctx, o, m)
		},
	}
	flags := cmd.Flags()
	flags.StringVar(&o.Server, "nats", "", "`URL` of a NATS server, or several with commas (the token in DEED_NATS_TOKEN)")
	flags.StringVar(&o.Blobs, "blobs", "", "`URL` of the blob store that belongs to it")
	natsFlags(flags, &o.NATS)
	offerFlags(flags, &o, &allow)
	allowEnvFlag(flags, &o)
	secretsFlag(flags, &o.SecretsDir)
	readFlag(flags, &o.Read)
	watched.flags(cmd)
	watched.certificateFlags(cmd)
	a.attachedFlag(cmd, &attached)
	a.folderFlag(cmd) // it needs no events
	cmd.AddCommand(a.workerLs(), a.workerDrain())
	return cmd
}

// workUntil works until ctx ends or it is told to leave, for one server of a
// folder after the other.
func (a *app) workUntil(ctx context.Context, o deed.Options, m *monitor) error {
	return a.inRole(ctx, o, func(ctx context.Context, r *deed.Runtime) (over bool, err error) {
		defer m.follow(r.Ready)()
		fmt.Fprintf(a.stderr, "working for %s\n", where(o))
		if o.Server != "" && o.Allow == nil {
			fmt.Fprintln(a.stderr, runsNone)
		}
		if over = a.workFor(ctx, r, o); over {
			fmt.Fprintln(a.stderr, "it was told to leave: what it executed has ended or is handed back, as is the rest")
		}
		return over, nil
	})
}

// workFor works until ctx ends, until it is told to leave, or until the folder
// has another server. A server that was killed is waited for as long as what is
// held belongs to this worker: the next one leaves it to whoever holds it.
func (a *app) workFor(ctx context.Context, r *deed.Runtime, o deed.Options) (drained bool) {
	served, stop := ctx, context.CancelFunc(func() {})
	if o.Dir != "" {
		served, stop = a.whileServedOr(ctx, r, r.Lease())
	}
	defer stop()
	select {
	case <-served.Done():
	case <-r.WorkerEnded():
	}
	if r.Drained() {
		select {
		case <-r.WorkerEnded():
			return true
		case <-ctx.Done():
		}
	}
	if ctx.Err() == nil {
		return false
	}
	fmt.Fprintln(a.stderr, "finishing what is being executed; once more to end at once")
	again, stopListening := signal.NotifyContext(context.WithoutCancel(ctx), os.Interrupt, syscall.SIGTERM)
	defer stopListening()
	r.Drain(again)
	return r.Drained()
}
