package main

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/spf13/cobra"

	"github.com/deedrun/deed"
	"github.com/deedrun/deed/api/wire"
	"github.com/deedrun/deed/orchestrator/process"
)

// unservedFor is how long a wait bears with a folder that nobody serves: the
// server may just be changing.
const unservedFor = 5 * time.Second

func (a *app) wait() *cobra.Command {
	var limit time.Duration
	var out string
	cmd := &cobra.Command{
		Use:   "wait ID",
		Short: "Wait until a process has ended; the exit code says how",
		Long: `Wait follows a process to its end, without taking part. It exits with 0 if the
process completed, 1 if it failed, 6 if it was cancelled, and 7 if that took longer
than --timeout. A paused process has not ended. With --out it writes the outputs.

If nobody serves the folder, nothing goes on: then it gives up after a few seconds,
with 5.

` + whichID,
		Example: "  deed wait @latest --timeout 10m && echo done\n  deed wait word-count-x7 --out results",
		Args:    exactly("ID"),
		RunE: func(cmd *cobra.Command, args []string) error {
			ctx := cmd.Context()
			if cmd.Flags().Changed("timeout") {
				if limit <= 0 {
					return usagef("--timeout %s: give a time like 10m", limit)
				}
				var cancel context.CancelFunc
				ctx, cancel = context.WithTimeoutCause(ctx, limit, errTimedOut)
				defer cancel()
			}
			w := &waiting{app: a, given: args[0], out: out}
			err := w.untilEnd(ctx)
			if errors.Is(context.Cause(ctx), errTimedOut) && !w.ended {
				return w.timedOut(limit)
			}
			return err
		},
	}
	cmd.Flags().DurationVar(&limit, "timeout", 0, "give up after this time, with exit code 7 (default: never)")
	cmd.Flags().StringVar(&out, "out", "", "write the outputs to this directory or `URL`")
	a.dataFlag(cmd)
	a.outputFlag(cmd, "json")
	return cmd
}

// waiting is one wait for a process.
type waiting struct {
	app        *app
	given, out string
	last       process.State // as far as it was seen
	ended      bool
	outcome    error
	said       string // what it waits for
}

// untilEnd follows the process from one server of the folder to the next.
func (w *waiting) untilEnd(ctx context.Context) error {
	unserved := time.Time{}
	for {
		var served bool
		err := w.app.attached(ctx, func(ctx context.Context, r *deed.Runtime) error {
			served = !r.Serving
			return w.follow(ctx, r)
		})
		switch {
		case w.ended || ctx.Err() != nil, err != nil && !isUnavailable(err):
			return err
		case served:
			unserved = time.Time{}
		case unserved.IsZero():
			unserved = time.Now()
		case time.Since(unserved) > unservedFor && err != nil:
			return err
		case time.Since(unserved) > unservedFor:
			return &unservedError{fmt.Sprintf("%s is %s, but nobody serves %s: %s goes on with it",
				w.last.ID, w.last.Status, w.app.where(), w.app.commandLine("resume", w.last.ID))}
		}
		if err := w.untilServed(ctx, unserved); err != nil {
			return err
		}
	}
}

// untilServed returns when somebody serves the folder, or has not for too long.
func (w *waiting) untilServed(ctx context.Context, since time.Time) error {
	look := time.NewTicker(100 * time.Millisecond)
	defer look.Stop()
	for {
		select {
		case <-ctx.Done():
			return context.Cause(ctx)
		case <-look.C:
			if w.app.served() || time.Since(since) > unservedFor {
				return nil
			}
		}
	}
}

// follow sees the process to its end, through the server of the folder. If
// there is none it only looks: nothing would happen.
func (w *waiting) follow(ctx context.Context, r *deed.Runtime) error {
	if w.ended { // it was said; then the server ended
		return w.outcome
	}
	s, err := w.app.find(ctx, r, w.given)
	if err != nil {
		return err
	}
	w.given, w.last = s.ID, s // @latest may be another one later
	if r.Serving && !s.Ended() {
		return nil
	}
	result, err := r.Wait(ctx, s.ID, w.see)
	if !w.last.Ended() {
		return err
	}
	w.ended, w.outcome = true, w.end(ctx, result, err)
	return w.outcome
}

func (w *waiting) see(s process.State) {
	w.last = s
	if text := s.ID + " is paused" + since(s); s.Status == process.Paused && text != w.said {
		w.said = text
		fmt.Fprintf(w.app.stderr, "%s; waiting until somebody resumes it\n", printable(text))
	} else if s.Status != process.Paused {
		w.said = ""
	}
}

// end says how the process ended, and writes its outputs if that is asked for.
func (w *waiting) end(ctx context.Context, result *deed.Result, err error) error {
	a, s := w.app, w.last
	if err != nil {
		return a.endedBadly(s, err)
	}
	paths := []string{}
	if w.out != "" {
		if paths, err = result.Export(ctx, w.out); err != nil {
			return a.notWritten(attendance{id: s.ID, collect: a.commandLine("wait", s.ID, "--out", w.out)}, paths, err)
		}
	}
	a.saySkipped(s)
	if a.output == "json" {
		return a.printJSON(outcome{ID: s.ID, Status: s.Status, Skipped: wire.SkippedOf(s), Outputs: paths})
	}
	text := s.ID + " completed"
	if w.out != "" {
		text += "; outputs in " + w.out
	}
	_, err = fmt.Fprintln(a.stdout, text)
	return err
}

func (w *waiting) timedOut(limit time.Duration) error {
	if w.app.output == "json" && w.last.ID != "" {
		if err := w.app.printJSON(outcome{ID: w.last.ID, Status: w.last.Status, Reason: w.last.Reason(), Outputs: []string{}}); err != nil {
			return err
		}
	}
	return fmt.Errorf("%w: %s is still %s after %s", errTimedOut, w.given, w.last.Status, duration(limit))
}
