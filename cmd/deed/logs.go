package main

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/deedrun/deed"
	"github.com/deedrun/deed/blob"
	"github.com/deedrun/deed/orchestrator/process"
)

// logsOptions say of which executions what is shown.
type logsOptions struct {
	address string
	index   int // -1: of all tasks
	attempt int // 0: of all
	errors  bool
	follow  bool
}

func (a *app) logs() *cobra.Command {
	var o logsOptions
	cmd := &cobra.Command{
		Use:   "logs ID [ADDRESS | ADDRESS[INDEX]]",
		Short: "Print what tasks printed",
		Long: `Logs prints what the programs of tasks wrote to standard output and standard
error, and what handlers logged, attempt by attempt. Of several executions each
line begins with whose it is: ADDRESS[INDEX]#ATTEMPT. Of what prints a lot the
beginning and the end are kept, and a line says what is missing.

With -f it goes on until the process, or the task, has ended; lines come in a
few seconds after they were printed.

` + whichID,
		Example: "  deed logs @latest\n  deed logs word-count-x7 count --errors\n  deed logs word-count-x7 'count[3]' --attempt 2\n  deed logs word-count-x7 -f",
		Args:    between("ID and perhaps an ADDRESS", 1, 2),
		RunE: func(cmd *cobra.Command, args []string) (err error) {
			if o.index = -1; len(args) == 2 {
				if o.address, o.index, err = parseTask(args[1]); err != nil {
					return err
				}
			}
			if o.attempt < 0 {
				return usagef("--attempt %d: attempts are numbered from 1 on", o.attempt)
			}
			t := &logTeller{app: a, options: o, told: map[blob.LogName]*toldLog{}}
			return a.attached(cmd.Context(), func(ctx context.Context, r *deed.Runtime) error {
				return a.printLogs(ctx, r, args[0], t)
			})
		},
	}
	flags := cmd.Flags()
	flags.BoolVarP(&o.follow, "follow", "f", false, "go on until the process, or the task, has ended")
	flags.IntVar(&o.attempt, "attempt", 0, "of attempt `N` only")
	flags.BoolVar(&o.errors, "errors", false, "only what went to standard error")
	a.dataFlag(cmd)
	a.outputFlag(cmd, "json")
	return cmd
}

func (a *app) printLogs(ctx context.Context, r *deed.Runtime, given string, t *logTeller) error {
	s, err := a.find(ctx, r, given)
	if err != nil {
		return err
	}
	t.at(r.Blobs, s)
	if t.options.follow && !t.over(s) && !r.Serving {
		return t.follow(ctx, r)
	}
	if err := t.tell(ctx); err != nil {
		return err
	}
	if err := a.pointToLogs(ctx, r, s, t.options); err != nil {
		return err
	}
	if len(t.told) == 0 {
		if _, err := process.Why(s, t.options.address, t.options.index, nil, time.Now()); err != nil && !isGroup(s, t.options.address) {
			return &notFoundError{err.Error()}
		}
		fmt.Fprintf(a.stderr, "nothing was printed%s\n", map[bool]string{true: "", false: " yet"}[t.over(s)])
	}
	if t.options.follow && !t.over(s) {
		fmt.Fprintf(a.stderr, "nobody serves %s: nothing more is printed until %#q\n", a.where(), a.commandLine("resume", s.ID))
	}
	return nil
}

// isGroup reports whether an address is that of a group of steps.
func isGroup(s process.State, address string) bool {
	return slices.ContainsFunc(s.Steps(), func(p process.Progress) bool { return strings.HasPrefix(p.Address, address+"/") })
}

// follow tells what is printed until the process, or the task, has ended.
func (t *logTeller) follow(ctx context.Context, r *deed.Runtime) error {
	following, stop := context.WithCancel(ctx)
	ended := make(chan error, 1)
	go func() {
		defer close(ended)
		for s, err := range r.Follow(following, t.state.ID) {
			if err != nil || t.over(s) {
				ended <- err
				return
			}
		}
	}()
	defer func() {
		stop()
		for range ended { // until it has stopped
		}
	}()
	look := time.NewTicker(time.Second / 2)
	defer look.Stop()
	for {
		if err := t.tell(ctx); err != nil {
			return err
		}
		select {
		case err := <-ended:
			if err != nil {
				return err
			}
			return t.tell(ctx) // what was printed last was stored before the end was
		case <-ctx.Done():
			return context.Cause(ctx)
		case <-look.C:
		}
	}
}

// over reports whether nothing more will be printed.
func (t *logTeller) over(s process.State) bool {
	if s.Ended() || t.options.index < 0 {
		return s.Ended()
	}
	why, err := process.Why(s, t.options.address, t.options.index, nil, time.Time{})
	return err == nil && (why.Standing == process.IsConfirmed || why.Standing == process.IsSkipped)
}
