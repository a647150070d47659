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
	"github.com/spf13/pflag"

	"github.com/deedrun/deed"
	"github.com/deedrun/deed/worker/autoscale"
)

// drainFor is how long a worker may take to leave: longer than it gives to what
// it executes, to handlers that do not hear that they should end, and to its
// last reports.
const drainFor = 45 * time.Second

func (a *app) autoscale() *cobra.Command {
	limits := autoscale.Limits{Min: 1, Max: runtime.GOMAXPROCS(0), Target: 10 * time.Second, CoolDown: time.Minute}
	every := 2 * time.Second
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
when autoscale itself is killed. All flags of deed worker are passed on to them.`,
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
			return a.keepWorkers(cmd.Context(), cmd, worker.Flags(), limits, every)
		},
	}
	flags := cmd.Flags()
	flags.IntVar(&limits.Min, "min", limits.Min, "workers at least")
	flags.IntVar(&limits.Max, "max", limits.Max, "workers at most")
	flags.DurationVar(&limits.Target, "target", limits.Target, "the time in which the backlog should be worked off")
	flags.DurationVar(&limits.CoolDown, "cooldown", limits.CoolDown, "for so long fewer must have been enough before there are fewer")
	flags.DurationVar(&every, "interval", every, "time between two looks")
	flags.StringVarP(&a.output, "output", "o", "text", "form of what is printed: text or json")
	flags.AddFlagSet(worker.Flags())
	if flags.Lookup("events") == nil {
		a.eventsFlag(cmd) // where the decisions are kept
	}
	cmd.AddCommand(a.autoscaleHistory())
	return cmd
}

// valueOf is what a flag says; "" if the command has no such flag.
func valueOf(cmd *cobra.Command, flag string) string {
	if f := cmd.Flags().Lookup(flag); f != nil {
		return f.Value.String()
	}
	return ""
}

// keepWorkers keeps workers until ctx ends and the last has left.
func (a *app) keepWorkers(ctx context.Context, cmd *cobra.Command, passed *pflag.FlagSet, limits autoscale.Limits, every time.Duration) error {
	self, err := os.Executable()
	if err != nil {
		return fmt.Errorf("start workers: %w", err)
	}
	o := deed.Options{
		Join: true, ReadOnly: true, Log: a.log(), Events: a.events,
		Server: valueOf(cmd, "nats"), Blobs: valueOf(cmd, "blobs"), Token: os.Getenv("DEED_NATS_TOKEN"),
	}
	if o.Server == "" {
		o.Dir = a.data
	}
	watch := newPoolWatch(o, valueOf(cmd, "pool"))
	defer watch.close()
	supervisor, err := autoscale.NewSupervisor(autoscale.Options{
		Limits: limits, Every: every, DrainFor: drainFor,
		Look:  watch.look,
		Start: watch.starting(autoscale.Command{Path: self, Args: workerArgs(o, passed), Log: &inTurn{to: a.stderr}}),
		Tell: func(d autoscale.Decision) {
			watch.note(d)
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

// workerArgs is the command line of a worker: the flags as they were found, and
// the place that they led to. What a context says may be changed any time, and
// all workers are to be in one place.
func workerArgs(o deed.Options, passed *pflag.FlagSet) []string {
	args := []string{"worker", "--attached"}
	if o.Dir != "" {
		args = append(args, "--data="+o.Dir)
	}
	passed.VisitAll(func(f *pflag.Flag) {
		switch several, ok := f.Value.(pflag.SliceValue); {
		case !f.Changed || slices.Contains([]string{"data", "context", "attached"}, f.Name):
		case ok:
			for _, value := range several.GetSlice() {
				args = append(args, "--"+f.Name+"="+value)
			}
		default:
			args = append(args, "--"+f.Name+"="+f.Value.String())
		}
	})
	return args
}
