package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/signal"
	"syscall"
	"time"

	"github.com/spf13/cobra"

	"github.com/deedrun/deed"
)

func (a *app) worker() *cobra.Command {
	o := deed.Options{Join: true}
	attached := false
	cmd := &cobra.Command{
		Use:   "worker",
		Short: "Compete for tasks, as one more worker process",
		Long: `Worker joins the server of a folder, or one at an address, and executes tasks
until it is stopped. Start as many as you like. A worker of a folder waits while
nobody serves it, and goes on with the next server.

On SIGTERM or Ctrl-C it finishes what it executes and hands back what it only
holds; a second one ends it at once, and what it had is given to others.`,
		Example: `  deed worker
  deed worker --data /srv/deed --workers 8
  deed worker --nats nats://127.0.0.1:4222 --blobs file:///srv/blobs`,
		Args: cobra.NoArgs,
		PreRunE: func(cmd *cobra.Command, _ []string) error {
			switch {
			case o.Workers < 0:
				return usagef("--workers %d: give 1 or more", o.Workers)
			case o.Server != "" && cmd.Flags().Changed("data"):
				return usagef("--data and --nats are two ways to say where the server is; give one")
			case (o.Server == "") != (o.Blobs == ""):
				return usagef("--nats and --blobs belong together: give both")
			}
			return nil
		},
		RunE: func(cmd *cobra.Command, _ []string) error {
			o.Handlers, o.Log, o.Failpoint = handlers(), a.log(), failpoint()
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
			return a.workUntil(ctx, o)
		},
	}
	flags := cmd.Flags()
	flags.StringVar(&o.Server, "nats", "", "`URL` of a NATS server (its token in DEED_NATS_TOKEN)")
	flags.StringVar(&o.Blobs, "blobs", "", "`URL` of the blob store that belongs to it")
	flags.IntVar(&o.Workers, "workers", 0, "tasks at a time (default: one a core)")
	a.attachedFlag(cmd, &attached)
	a.folderFlag(cmd) // it needs no events
	return cmd
}

// workUntil works until ctx ends, for one server of a folder after the other.
func (a *app) workUntil(ctx context.Context, o deed.Options) error {
	waiting := false
	for {
		r, err := deed.Open(ctx, o)
		var unreachable *deed.UnreachableError
		var noFolder *deed.NoFolderError
		switch {
		case ctx.Err() != nil:
			return nil
		case err == nil:
			fmt.Fprintf(a.stderr, "working for %s\n", where(o))
			waiting = false
			a.workFor(ctx, r, o)
		case o.Dir == "" || !errors.As(err, &unreachable) && !errors.As(err, &noFolder):
			return err
		case !waiting:
			waiting = true
			fmt.Fprintf(a.stderr, "waiting until somebody serves %s\n", where(o))
		}
		select {
		case <-ctx.Done():
			return nil
		case <-time.After(time.Second / 2):
		}
	}
}

func where(o deed.Options) string {
	if o.Dir != "" {
		return "the folder " + o.Dir
	}
	return o.Server
}

// workFor works until ctx ends, or until the folder has another server. A
// server that was killed is waited for as long as what is held belongs to this
// worker: the next one leaves it to whoever holds it.
func (a *app) workFor(ctx context.Context, r *deed.Runtime, o deed.Options) {
	defer r.Close()
	served, stop := ctx, context.CancelFunc(func() {})
	if o.Dir != "" {
		served, stop = a.whileServedOr(ctx, r, r.Lease())
	}
	defer stop()
	<-served.Done()
	if ctx.Err() == nil {
		return
	}
	fmt.Fprintln(a.stderr, "finishing what is being executed; once more to end at once")
	again, stopListening := signal.NotifyContext(context.WithoutCancel(ctx), os.Interrupt, syscall.SIGTERM)
	defer stopListening()
	r.Drain(again)
}
