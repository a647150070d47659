package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"time"
	"unicode/utf8"

	"github.com/deedrun/deed"
	"github.com/deedrun/deed/api/wire"
	"github.com/deedrun/deed/blob"
	"github.com/deedrun/deed/internal/amount"
	"github.com/deedrun/deed/orchestrator/process"
)

// notWritten is the end of a process that has done its work, and whose outputs
// could not be written.
func (a *app) notWritten(t attendance, paths []string, err error) error {
	remedy := "once that is cured, or elsewhere with another --out"
	var corrupt *blob.CorruptError
	if errors.Is(err, blob.ErrNotFound) || errors.As(err, &corrupt) {
		remedy = "once that blob is restored from a copy (or start the job under another ID)"
	}
	fmt.Fprintf(a.stderr, "deed: %s completed, but: %s\nwrite its outputs %s:\n  %s\n", t.id, printable(err.Error()), remedy, t.collect)
	if a.output == "json" {
		if err := a.printJSON(outcome{ID: t.id, Status: process.Completed, Reason: err.Error(), Outputs: append([]string{}, paths...)}); err != nil {
			return err
		}
	}
	return errors.Join(errSaid, err)
}

// endedBadly is the end of a process that failed or was cancelled: how, where,
// and what a person can do now.
func (a *app) endedBadly(s process.State, err error) error {
	var failed *deed.FailedError
	fmt.Fprintf(a.stderr, "deed: %s: %s\n", s.ID, printableLines(s.Reason()))
	a.saySkipped(s)
	next := [][2]string{}
	switch {
	case !errors.As(err, &failed):
		next = append(next, [2]string{"go on after all:", a.commandLine("retry", s.ID)})
	case failed.Failure.Address == "":
		next = append(next, [2]string{"give it more time:", a.commandLine("set", s.ID, "deadline=…")}, [2]string{"and go on:", a.commandLine("retry", s.ID)})
	default:
		next = append(next,
			[2]string{"what it printed:", a.commandLine("logs", s.ID, taskName(failed.Failure))},
			[2]string{"once that is mended:", a.commandLine("retry", s.ID)})
	}
	next = append(next, [2]string{"what happened:", a.commandLine("history", s.ID)})
	for _, n := range next {
		fmt.Fprintf(a.stderr, "%-21s%s\n", n[0], n[1])
	}
	if a.output == "json" {
		if err := a.printJSON(outcome{ID: s.ID, Status: s.Status, Reason: s.Reason(), Skipped: wire.SkippedOf(s), Outputs: []string{}}); err != nil {
			return err
		}
	}
	return errors.Join(errSaid, err)
}

func taskName(f process.ProcessFailed) string {
	if f.Index < 0 {
		return f.Address
	}
	return fmt.Sprintf("%s[%d]", f.Address, f.Index)
}

// outcome is what `run -o json` prints. The reason is why the process failed or
// was cancelled or, if it was not, why not all outputs were written.
type outcome struct {
	ID      string         `json:"id"`
	Status  process.Status `json:"status"`
	Reason  string         `json:"reason,omitempty"`
	Skipped []wire.Skipped `json:"skipped,omitempty"`
	Outputs []string       `json:"outputs"`
}

func (a *app) report(ctx context.Context, result *deed.Result, t attendance, paths []string, took time.Duration) error {
	tasks := 0
	for _, s := range result.State.Steps() {
		tasks += s.Tasks
	}
	a.saySkipped(result.State)
	fmt.Fprintf(a.stderr, "%s completed in %s: %s in %s; outputs in %s\n", t.id, duration(took),
		amount.Of(tasks, "task"), amount.Of(len(result.State.Steps()), "step"), t.out)
	if a.output == "json" {
		return a.printJSON(outcome{ID: t.id, Status: process.Completed, Skipped: wire.SkippedOf(result.State), Outputs: paths})
	}
	return a.printSmall(ctx, result)
}

// printSmall prints the outputs that are one short text each, under their
// names if there are several.
func (a *app) printSmall(ctx context.Context, result *deed.Result) error {
	const most = 4 << 10
	var names, texts []string
	for _, name := range result.State.Definition.Outputs {
		if data, _ := result.State.Data(name); data.Count != 1 || data.Bytes > most {
			continue
		}
		text, err := result.Text(ctx, name)
		if err != nil {
			return err
		}
		if utf8.ValidString(text) && printableLines(text) == text {
			names, texts = append(names, name), append(texts, text)
		}
	}
	for i, text := range texts {
		if len(texts) > 1 {
			text = "==> " + names[i] + " <==\n" + text
		}
		if _, err := io.WriteString(a.stdout, text); err != nil {
			return err
		}
	}
	return nil
}
