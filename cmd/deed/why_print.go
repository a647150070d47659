package main

import (
	"fmt"
	"strings"
	"text/tabwriter"

	"github.com/deedrun/deed/orchestrator"
	"github.com/deedrun/deed/orchestrator/process"
)

// remedy is something a person can do.
type remedy struct {
	Command string `json:"command"`
	To      string `json:"to"`
}

// remedies are what a person can do about where something stands.
func (a *app) remedies(w whyJSON) []remedy {
	at := w.Address
	if w.Index >= 0 {
		at = fmt.Sprintf("%s[%d]", w.Address, w.Index)
	}
	var all []remedy
	can := func(to string, words ...string) {
		all = append(all, remedy{a.commandLine(words...), to})
	}
	about := func(command string, more ...string) []string { // the same thing as was asked about
		words := []string{command, w.Process}
		if at != "" {
			words = append(words, at)
		}
		return append(words, more...)
	}
	if w.Child != "" {
		can("why that process stands where it does", "why", w.Child)
		can("what its tasks printed", "logs", w.Child)
		if w.Standing == process.IsFailed || w.Standing == process.IsSkipped {
			can("to try again as another process, once the cause is mended", about("retry")...)
		}
		return all
	}
	switch w.Standing {
	case process.IsWaiting:
		for _, address := range w.WaitsFor {
			can("why "+address+" is not done", "why", w.Process, address)
		}
	case process.IsHeldBack:
		for _, setting := range w.Raise {
			whose := map[bool]string{true: " of all its steps"}[setting == "parallelism"]
			can("to let 50"+whose+" be open at a time, for example", "set", w.Process, setting+"=50")
		}
	case process.IsPaused:
		can("to make it go on", "resume", w.Process)
	case process.IsRetrying:
		can("to try it at once, with a fresh budget", about("retry")...)
		can("what the attempts printed", about("logs")...)
	case process.IsScheduled:
		a.remediesOfOpen(w, about, can)
	case process.IsRunning, process.IsSealing:
		if w.Served {
			can("what is running, and for how long", "timeouts", w.Process)
			can("what its tasks print", about("logs", "-f")...)
		}
	case process.IsFailed, process.IsSkipped:
		can("what the attempts printed", about("logs")...)
		if w.Index >= 0 {
			can("to try it by hand", about("shell")...)
		}
		can("to try again, once the cause is mended", about("retry")...)
	case process.IsStopped:
		can("to make the process go on", "retry", w.Process)
	case process.IsConfirmed:
		can("what the attempts printed", about("logs")...)
		can("to try it by hand", about("shell")...)
	case process.IsCompleted:
		if w.Address != "" {
			can("to run it again, and what follows from it", "restart", w.Process, "--from", w.Address)
		}
	}
	if !w.Served && !hasEnded(w.Status) && w.Standing != process.IsPaused {
		can("to serve the folder, and run it to its end", "resume", w.Process)
	}
	return all
}

func (a *app) remediesOfOpen(w whyJSON, about func(string, ...string) []string, can func(string, ...string)) {
	if w.Where == nil {
		return
	}
	switch w.Where.Place {
	case orchestrator.Executing:
		can("what it prints", about("logs", "-f")...)
		if w.Where.Timeout == 0 {
			can("so that none runs for ever", "set", w.Process, w.Address+".timeout=10m")
		}
	case orchestrator.Held, orchestrator.Queued, orchestrator.Unsent:
		can("to have more done at a time, on this machine or another", "worker")
		can("what the workers are busy with", "timeouts")
	case orchestrator.Unserved:
		can("which workers there are, and what they offer", "timeouts", "-o", "json")
		can("to ask for what is offered", "migrate", w.Process, "FILE")
	}
}

func hasEnded(s process.Status) bool {
	return s == process.Completed || s == process.Failed || s == process.Cancelled
}

// toldAtMost is how much of a long story is told: its beginning and its end.
const toldAtMost = 40

func (a *app) printWhy(w whyJSON) {
	name := w.Process
	if w.Address != "" {
		name += " " + w.Address
	}
	if w.Index >= 0 {
		name += fmt.Sprintf("[%d]", w.Index)
	}
	if w.Element != "" {
		name += " (" + w.Element + ")"
	}
	if w.Generation > 0 {
		name += fmt.Sprintf(", generation %d", w.Generation)
	}
	fmt.Fprintf(a.stdout, "%s: %s\n", printable(name), w.Standing)
	for _, b := range w.Because {
		fmt.Fprintf(a.stdout, "  %s\n", indentedLines(b))
	}
	for _, n := range w.Now {
		fmt.Fprintf(a.stdout, "now: %s\n", printable(n))
	}
	a.printStory(w.Story)
	if len(w.CanDo) == 0 {
		return
	}
	fmt.Fprint(a.stdout, "\nwhat you can do:\n")
	t := tabwriter.NewWriter(a.stdout, 0, 0, 3, ' ', 0)
	for _, r := range w.CanDo {
		fmt.Fprintf(t, "  %s\t%s\n", r.Command, r.To)
	}
	_ = t.Flush()
}

func (a *app) printStory(story []process.Happening) {
	if len(story) == 0 {
		return
	}
	fmt.Fprint(a.stdout, "\nthe story:\n")
	for i, h := range story {
		if left := len(story) - toldAtMost; left > 0 && i >= toldAtMost/2 && i < toldAtMost/2+left {
			if i == toldAtMost/2 {
				fmt.Fprintf(a.stdout, "  … %d more; -o json has all\n", left)
			}
			continue
		}
		generation := ""
		if h.Generation > 0 {
			generation = fmt.Sprintf("generation %d: ", h.Generation)
		}
		fmt.Fprintf(a.stdout, "  %s  %s%s\n", h.At.Local().Format("15:04:05.000"), generation, indentedLines(h.Text))
	}
}

// indentedLines is a text whose further lines stand below the first: the last
// lines of what a program said.
func indentedLines(text string) string {
	return strings.ReplaceAll(strings.TrimSpace(printableLines(text)), "\n", "\n      ")
}
