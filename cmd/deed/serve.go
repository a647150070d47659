package main

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"os"
	"os/signal"
	"sync/atomic"
	"syscall"
	"time"

	"github.com/spf13/cobra"

	"github.com/deedrun/deed"
	"github.com/deedrun/deed/api"
)

// serveOptions are those of the roles that orchestrate.
type serveOptions struct {
	deed.Options

	entrance entranceOptions
	watched  metricsFlags
	allow    allowed
}

func (a *app) serve() *cobra.Command {
	var o serveOptions
	cmd := &cobra.Command{
		Use:   "serve",
		Short: "Orchestrate, and answer people: one of any number of replicas",
		Long: `Serve orchestrates processes and answers people's commands. It executes nothing:
that is for workers.

Start as many as you like for one NATS server or cluster: they share the processes
among them, and when one ends or dies the others go on with what it had, within
some two seconds. With --data it serves a folder, NATS and all, or joins whoever
does and takes that one's place when it ends.

The address of its API is printed on standard output once it serves. On SIGTERM or
Ctrl-C it hands over what it has, and ends.`,
		Example: `  deed serve --nats nats://n1:4222,nats://n2:4222,nats://n3:4222 --blobs file:///mnt/blobs
  deed serve --data /srv/deed --listen 127.0.0.1:8421`,
		Args: cobra.NoArgs,
		PreRunE: func(cmd *cobra.Command, _ []string) error {
			switch {
			case o.Server != "" && cmd.Flags().Changed("data"):
				return usagef("--data and --nats are two ways to say where the server is; give one")
			case (o.Server == "") != (o.Blobs == ""):
				return usagef("--nats and --blobs belong together: give both")
			case o.Replicas != 0 && o.Server == "":
				return usagef("--replicas is about a NATS cluster: give --nats, too")
			case o.Replicas < 0 || o.Replicas > 5:
				return usagef("--replicas %d: give 1 to 5; 3 is usual in a cluster", o.Replicas)
			}
			if err := checkNATS(o.Options); err != nil {
				return err
			}
			return o.check()
		},
		RunE: func(cmd *cobra.Command, _ []string) error { return a.serveUntil(cmd.Context(), o) },
	}
	flags := cmd.Flags()
	flags.StringVar(&o.Server, "nats", "", "`URL` of a NATS server, or several with commas (the token in DEED_NATS_TOKEN)")
	flags.StringVar(&o.Blobs, "blobs", "", "`URL` of the blob store that belongs to it")
	natsFlags(flags, &o.NATS)
	flags.IntVar(&o.Replicas, "replicas", 0, "on how many NATS servers each message and event is kept, if this creates the streams (default: 3 in a cluster)")
	a.serveFlags(cmd, &o)
	return cmd
}

func (a *app) up() *cobra.Command {
	var o serveOptions
	cmd := &cobra.Command{
		Use:   "up",
		Short: "Run all of deed on this machine, and stay",
		Long: `Up is all of deed in one process: NATS, event store and blobs in a folder,
orchestrator, workers, and the API for people's commands. It stays until it is
stopped; further workers, and other commands, may join it. It is serve and worker
in one, and nothing else.

Where its API asks nobody for a token, whoever submits is you, and it runs whatever
programs the definitions say. Else it runs none but those that --allow names, see deed
worker: a definition alone never gets to run a program on somebody's worker.

The address of its API is printed on standard output once it serves. On SIGTERM or
Ctrl-C it finishes what it executes, and ends; a second one ends it at once. What
was unfinished goes on with the next.`,
		Example: `  deed up
  deed submit examples/wordcount/process.yaml --in corpus=examples/wordcount/corpus --server http://127.0.0.1:8420
  deed worker`,
		Args: cobra.NoArgs,
		PreRunE: func(*cobra.Command, []string) error {
			if o.Workers < 0 {
				return usagef("--concurrency %d: give 1 or more", o.Workers)
			}
			if err := errors.Join(checkAllowEnv(o.Options), o.allow.check(&o.Options)); err != nil {
				return err
			}
			return o.check()
		},
		RunE: func(cmd *cobra.Command, _ []string) error {
			o.Handlers = handlers()
			return a.serveUntil(cmd.Context(), o)
		},
	}
	cmd.Flags().IntVar(&o.Workers, "concurrency", 0, "tasks at a time in this process (default: one a core)")
	o.allow.flag(cmd.Flags(), "any, or none where the API asks for a token")
	allowEnvFlag(cmd.Flags(), &o.Options)
	secretsFlag(cmd.Flags(), &o.SecretsDir)
	a.serveFlags(cmd, &o)
	return cmd
}

func (a *app) serveFlags(cmd *cobra.Command, o *serveOptions) {
	flags := cmd.Flags()
	o.entrance.flags(cmd)
	o.watched.flags(cmd)
	flags.DurationVar(&o.Lease, "lease", 10*time.Second, "after how long others do what a silent worker holds; 1s or more")
	readFlag(flags, &o.Read)
	a.folderFlag(cmd)
	a.eventsFlag(cmd)
}

func (o *serveOptions) check() error {
	if o.Lease < time.Second {
		return usagef("--lease %s: give 1s or more; workers speak once a second", o.Lease)
	}
	if err := o.entrance.check(); err != nil {
		return err
	}
	return o.watched.check(o.entrance.tlsCert != "")
}

// serveUntil serves until ctx ends: a folder whose server ends it serves next.
func (a *app) serveUntil(ctx context.Context, o serveOptions) error {
	entrance, err := a.enter(ctx, o.entrance, a.log())
	if err != nil {
		return err
	}
	if o.Handlers != nil && o.Allow == nil && entrance.requireToken {
		o.Allow = []string{}
		fmt.Fprintln(a.stderr, runsNone)
	}
	o.Orchestrate, o.Version, o.Log, o.Failpoint = true, built().Version, a.log(), failpoint()
	o.Events = a.events
	if o.Server == "" {
		o.Dir = a.data
	} else {
		o.Token = os.Getenv("DEED_NATS_TOKEN")
	}
	o.Metrics = deed.NewMetrics(o.Version)
	door := &door{}
	door.close()
	unwatch, err := a.monitored(ctx, o.watched, entrance.certificate, &monitor{metrics: o.Metrics, probe: door})
	if err != nil {
		return errors.Join(err, entrance.Close())
	}
	defer unwatch()
	if entrance.certificate != nil {
		defer o.Metrics.Listener().Attach(entrance.certificate.Expires)()
	}
	standing, stop := context.WithCancel(ctx)
	defer stop()
	answered := make(chan error, 1)
	go func() {
		defer stop() // a server that nobody can ask is none
		answered <- api.Serve(standing, entrance, door, o.Log)
	}()
	opened := false
	err = a.inRole(standing, o.Options, func(ctx context.Context, r *deed.Runtime) (bool, error) {
		if !opened {
			if err := a.canBeOpened(ctx, entrance, r, o.Options); err != nil {
				return false, err
			}
			opened = true
		}
		options := entrance.options(r, o.Log)
		options.Metrics = o.Metrics
		door.open(api.New(options))
		defer door.close()
		return false, a.serveWith(ctx, r, o, entrance.url)
	})
	stop()
	return errors.Join(err, <-answered)
}

// notListening says what to do about an address that cannot be had.
func (a *app) notListening(address string, err error) error {
	var no *api.AddressError
	if errors.As(err, &no) {
		return &usageError{err}
	}
	if errors.Is(err, syscall.EADDRINUSE) {
		return &refusedError{fmt.Sprintf("something listens on %s already, perhaps another deed: stop that, or choose another address with --listen, such as 127.0.0.1:0", address)}
	}
	return err
}

// serveWith serves with one runtime, until ctx ends or the server of the folder
// that it joined does.
func (a *app) serveWith(ctx context.Context, r *deed.Runtime, o serveOptions, url string) error {
	served, stop := ctx, context.CancelFunc(func() {})
	if o.Dir != "" {
		served, stop = a.whileServedOr(ctx, r, r.Lease())
	}
	defer stop()
	if o.Dir != "" {
		a.sayUnfinished(ctx, r, "")
	}
	fmt.Fprintf(a.stderr, "serving %s\n", where(o.Options))
	if _, err := fmt.Fprintln(a.stdout, url); err != nil {
		return err
	}
	<-served.Done()
	if ctx.Err() == nil {
		return nil
	}
	if o.Handlers != nil {
		fmt.Fprintln(a.stderr, "finishing what is being executed; once more to end at once")
	}
	again, stopListening := signal.NotifyContext(context.WithoutCancel(ctx), os.Interrupt, syscall.SIGTERM)
	defer stopListening()
	r.Drain(again)
	return nil
}

// door is the way to the API, which is closed while there is no server behind it.
type door struct{ handler atomic.Pointer[http.Handler] }

func (d *door) open(h http.Handler) { d.handler.Store(&h) }
func (d *door) close()              { d.open(api.Away()) }

func (d *door) ServeHTTP(w http.ResponseWriter, r *http.Request) { (*d.handler.Load()).ServeHTTP(w, r) }
