package main

import (
	"context"
	"fmt"
	"os"
	"runtime"
	"slices"
	"strconv"
	"time"

	"github.com/spf13/cobra"

	"github.com/deedrun/deed"
	"github.com/deedrun/deed/internal/autoscale"
)

// leaveWithin is how long a worker may take to leave beyond its --drain-timeout: for
// handlers that do not hear that they should end, and for its last reports.
const leaveWithin = 35 * time.Second

func (a *app) autoscale() *cobra.Command {
	limits := autoscale.Limits{Min: 1, Max: runtime.GOMAXPROCS(0), Target: 10 * time.Second, CoolDown: time.Minute}
	every := 2 * time.Second
	var watched metricsFlags
	worker := a.worker()
	cmd := &cobra.Command{
		Use:   "autoscale",
		Short: "Keep as many worker processes as a pool has work for",
		Long: `Autoscale starts deed worker processes on this machine, and drains them, so that
the slots of the pool can work off its backlog within --target. More are started at
once, at most twice as many as there are, and one; fewer stay when fewer have been
enough for --cooldown. One that dies is replaced at once. With --min equal to --max
that is all it does.

It does not start more where more would not help: while slots are free although
tasks wait (for a rate, for memory, for a handler), or while nothing has ended for a
minute. When the orchestrator does not answer, it keeps what it has.

Each change is printed with its reason, and kept: see deed autoscale history. What
workers print goes to standard error, with the number of the process. On SIGTERM or
Ctrl-C all workers finish what they execute and hand back the rest. They do so, too,
when autoscale itself is killed. All flags of deed worker are passed on to them, but
--metrics, which is about autoscale itself. Each offers its share of the memory of
this machine, by --max, unless --memory says more.`,
		Example: `  deed autoscale --min 1 --max 8
  deed autoscale --min 0 --max 4 --pool gpu --concurrency 1 --cooldown 5m
  deed autoscale --min 4 --max 4 --data /srv/deed`,
		Args: cobra.NoArgs,
		PreRunE: func(cmd *cobra.Command, args []string) error {
			if err := oneOf("--output", a.output, []string{"text", "json"}); err != nil {
				return err
			}
			if worker.PreRunE != nil {
				if err := worker.PreRunE(cmd, args); err != nil {
					return err
				}
			}
			if every < 100*time.Millisecond {
				return usagef("--interval %s: give at least 100ms", every)
			}
			watched = metricsFlags{
				listen: valueOf(cmd, "metrics"), tokenFile: valueOf(cmd, "metrics-token-file"),
				tlsCert: valueOf(cmd, "tls-cert"), tlsKey: valueOf(cmd, "tls-key"),
			}
			limits.Slots = runtime.GOMAXPROCS(0)
			if n, err := strconv.Atoi(valueOf(cmd, "concurrency")); err == nil && n > 0 {
				limits.Slots = n
			}
			if _, err := autoscale.NewScaler(limits); err != nil {
				return &usageError{err}
			}
			return nil
		},
		RunE: func(cmd *cobra.Command, _ []string) error {
			m := &monitor{metrics: watched.metrics()}
			end, err := a.monitored(cmd.Context(), watched, nil, m)
			if err != nil {
				return err
			}
			defer end()
			return a.keepWorkers(cmd, slices.Concat(passOn(cmd, worker.Flags()), inShares(cmd, limits.Max), workersKey(cmd)), limits, every, m)
		},
	}
	flags := cmd.Flags()
	flags.IntVar(&limits.Min, "min", limits.Min, "workers at least")
	flags.IntVar(&limits.Max, "max", limits.Max, "workers at most")
	flags.DurationVar(&limits.Target, "target", limits.Target, "the time in which the backlog should be worked off")
	flags.DurationVar(&limits.CoolDown, "cooldown", limits.CoolDown, "for so long fewer must have been enough before there are fewer")
	flags.DurationVar(&every, "interval", every, "time between two looks")
	flags.StringVarP(&a.output, "output", "o", "text", "form of what is printed: text or json")
	takeOver(cmd, worker.Flags())
	workersKeyFlag(flags)
	a.eventsFlag(cmd) // where the decisions are kept
	cmd.AddCommand(a.autoscaleHistory())
	return cmd
}

// keepWorkers keeps workers until its context ends and the last has left. All of
// them are in the place that was found at first: what a context says may change.
func (a *app) keepWorkers(cmd *cobra.Command, passed []string, limits autoscale.Limits, every time.Duration, m *monitor) error {
	ctx := cmd.Context()
	self, err := os.Executable()
	if err != nil {
		return fmt.Errorf("start workers: %w", err)
	}
	o := deed.Options{
		Join: true, ReadOnly: true, Log: a.log(), Events: a.events,
		Server: valueOf(cmd, "nats"), Blobs: valueOf(cmd, "blobs"), Token: os.Getenv("DEED_NATS_TOKEN"),
		NATS: deed.NATSCredentials{NKeyFile: valueOf(cmd, "nats-nkey"), CredsFile: valueOf(cmd, "nats-creds"), CAFile: valueOf(cmd, "nats-ca")},
	}
	args := []string{"worker", "--attached"}
	if o.Server == "" {
		o.Dir = a.data
		args = append(args, "--data="+o.Dir)
	}
	drain, err := time.ParseDuration(valueOf(cmd, "drain-timeout"))
	if err != nil {
		return fmt.Errorf("how long workers take to leave: %w", err)
	}
	watch := newPoolWatch(o, valueOf(cmd, "pool"))
	defer watch.close()
	supervisor, err := autoscale.NewSupervisor(autoscale.Options{
		Limits: limits, Every: every, DrainFor: drain + leaveWithin,
		Look: func(ctx context.Context) (autoscale.Look, error) {
			look, err := watch.look(ctx)
			m.metrics.Autoscale().Looked(err)
			m.follow(func() error { return err })
			return look, err
		},
		Start: watch.starting(autoscale.Command{
			Path: self, Args: append(args, passed...), Env: a.logging.passOn(placed(unwatched(os.Environ()), o.Server, o.Blobs)), Log: &inTurn{to: a.stderr},
		}),
		Tell: func(d autoscale.Decision) {
			watch.note(d)
			m.metrics.Autoscale().Decided(watch.pool, string(d.Kind), d.To)
			a.printDecision(watch.decided(d))
		},
	})
	if err != nil {
		return &usageError{err}
	}
	supervisor.Run(ctx)
	watch.keepRest(context.WithoutCancel(ctx))
	return nil
}
