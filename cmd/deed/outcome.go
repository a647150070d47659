package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"time"
	"unicode/utf8"

	"github.com/deedrun/deed"
	"github.com/deedrun/deed/blob"
	"github.com/deedrun/deed/orchestrator/process"
)

// notWritten is the end of a process that has done its work, and whose outputs
// could not be written.
func (a *app) notWritten(id string, paths []string, err error) error {
	remedy := "once that is cured, or elsewhere with another --out"
	var corrupt *blob.CorruptError
	if errors.Is(err, blob.ErrNotFound) || errors.As(err, &corrupt) {
		remedy = "once that blob is restored from a copy (or start the job under another ID)"
	}
	fmt.Fprintf(a.stderr, "deed: %s completed, but: %s\nwrite its outputs %s:\n  %s\n", id, printable(err.Error()), remedy, again(id))
	if a.output == "json" {
		if err := a.printJSON(outcome{ID: id, Status: process.Completed, Reason: err.Error(), Outputs: append([]string{}, paths...)}); err != nil {
			return err
		}
	}
	return errors.Join(errSaid, err)
}

func (a *app) failed(id string, err error) error {
	var failed *deed.FailedError
	errors.As(err, &failed)
	fmt.Fprintf(a.stderr, "deed: %s: %s\nlook at it:  %s\ntry again:   %s\n", id, printableLines(failed.Reason), a.historyOf(id), again(""))
	if a.output == "json" {
		if err := a.printJSON(outcome{ID: id, Status: process.Failed, Reason: failed.Reason, Outputs: []string{}}); err != nil {
			return err
		}
	}
	return errors.Join(errSaid, err)
}

// historyOf is the command that tells the history of a process.
func (a *app) historyOf(id string) string {
	line := program() + " history " + id
	if a.data != defaultData {
		line += " --data " + quote(a.data)
	}
	return line
}

// outcome is what `run -o json` prints. The reason is why the process failed
// or, if it did not, why not all outputs were written.
type outcome struct {
	ID      string         `json:"id"`
	Status  process.Status `json:"status"`
	Reason  string         `json:"reason,omitempty"`
	Outputs []string       `json:"outputs"`
}

func (a *app) report(ctx context.Context, result *deed.Result, o runOptions, paths []string, took time.Duration) error {
	tasks := 0
	for _, s := range result.State.Steps() {
		tasks += s.Tasks
	}
	fmt.Fprintf(a.stderr, "%s completed in %s: %s in %s; outputs in %s\n", o.id, duration(took),
		plural(tasks, "task"), plural(len(result.State.Steps()), "step"), o.out)
	if a.output == "json" {
		return a.printJSON(outcome{ID: o.id, Status: process.Completed, Outputs: paths})
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
