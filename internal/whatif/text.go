package whatif

import (
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/deedrun/deed/internal/amount"
	"github.com/deedrun/deed/orchestrator/process"
	"github.com/deedrun/deed/task"
)

// String tells the report to people.
func (r Report) String() string {
	var b strings.Builder
	say := func(format string, args ...any) { fmt.Fprintf(&b, format+"\n", args...) }
	if len(r.Changes) == 0 {
		say("the definition is the one that process %s has", r.Process)
	} else {
		say("process %s, if it had been started with another definition:", r.Process)
		list(&b, r.Changes)
	}
	say("")
	if r.Divergence == nil {
		say("no divergence: under that definition all %s would have happened the same", amount.Of(int(min(r.Events, 1<<31)), "event"))
		say("%s", r.Recorded.sentence())
	} else {
		r.Divergence.tell(&b)
		section(&b, "would run, and did not", r.More)
		section(&b, "ran, and would not", r.Fewer)
		section(&b, "unknown from here: these would run, and nobody recorded what comes of them", r.Unknown)
		section(&b, "ran, and would later or never", r.Uncertain)
		say("")
		r.tellEnd(&b)
	}
	if len(r.Notes) > 0 {
		say("\nto be borne in mind:")
		list(&b, r.Notes)
	}
	return b.String()
}

func (d *Divergence) tell(b *strings.Builder) {
	fmt.Fprintf(b, "the first divergence is at event %d, %s after the start\n", d.Event, rounded(d.After))
	row := func(what string, lines []string, none string) {
		if len(lines) == 0 {
			lines = []string{none}
		}
		for i, line := range lines {
			if i > 0 {
				what = ""
			}
			fmt.Fprintf(b, "  %-9s %s\n", what, oneLine(line))
		}
	}
	row("recorded", d.Recorded, "nothing at that point")
	none := "nothing"
	if d.Why != "" {
		none += ": " + d.Why
	}
	row("instead", d.Instead, none)
}

func (r Report) tellEnd(b *strings.Builder) {
	if r.Retries != (Retries{}) {
		least := ""
		if r.Recorded.ended() && !r.Instead.ended() {
			least = "at least "
		}
		fmt.Fprintf(b, "retries   %d recorded, %s%d instead\n", r.Retries.Recorded, least, r.Retries.Instead)
	}
	if r.LeftOut > 0 {
		fmt.Fprintf(b, "left out  recorded results of %s, which mean nothing there\n", amount.Of(r.LeftOut, "task"))
	}
	for _, refused := range r.Refused {
		fmt.Fprintf(b, "refused   event %d (%s): %s\n", refused.Event, oneLine(refused.Command), oneLine(refused.Reason))
	}
	if more := r.Refusals - len(r.Refused); more > 0 {
		fmt.Fprintf(b, "refused   … and %s more\n", amount.Of(more, "command"))
	}
	fmt.Fprintf(b, "recorded  %s\n", r.Recorded.sentence())
	instead := r.Instead.sentence()
	switch {
	case !r.Instead.ended() && r.Recorded.ended():
		instead = fmt.Sprintf("still %s; not known beyond %s", r.Instead.Status, rounded(r.Instead.Took))
	case r.Instead.Reason != "" && r.Instead.Reason != r.Recorded.Reason && !slices.Contains(r.Divergence.Instead, r.Instead.Reason):
		instead += "; " + oneLine(r.Instead.Reason)
	}
	fmt.Fprintf(b, "instead   %s\n", instead)
}

func (e End) ended() bool {
	return e.Status == process.Completed || e.Status == process.Failed || e.Status == process.Cancelled
}

func (e End) sentence() string { return fmt.Sprintf("%s after %s", e.Status, rounded(e.Took)) }

func rounded(d task.Duration) task.Duration {
	return task.Duration(time.Duration(d).Round(time.Millisecond))
}

func section(b *strings.Builder, what string, all []Tasks) {
	if len(all) == 0 {
		return
	}
	var lines []string
	for _, t := range all {
		lines = append(lines, t.String())
	}
	fmt.Fprintf(b, "\n%s:\n", what)
	list(b, lines)
}

func list(b *strings.Builder, lines []string) {
	for _, line := range clipped(lines, mostListed) {
		fmt.Fprintf(b, "  %s\n", oneLine(line))
	}
}

// oneLine keeps what a program printed from breaking the page.
func oneLine(s string) string { return strings.Join(strings.Fields(s), " ") }

// String names the tasks, and the attempt and the generation where they are not the first.
func (t Tasks) String() string {
	s := named(t.Address, t.Tasks)
	if t.Generation > 0 {
		s += fmt.Sprintf(" generation %d", t.Generation)
	}
	if t.Attempt > 1 {
		s += fmt.Sprintf(" attempt %d", t.Attempt)
	}
	if n := t.Tasks.Len(); n > 1 {
		s += ", " + amount.Of(n, "task")
	}
	if t.Why != "" {
		s += ": " + t.Why
	}
	return s
}

// named is count[3], or count[0–2, 7]. Of many ranges it names the first.
func named(address string, tasks task.Ranges) string {
	const most = 8
	if len(tasks) > most {
		return fmt.Sprintf("%s[%s, …]", address, tasks[:most])
	}
	return fmt.Sprintf("%s[%s]", address, tasks)
}

// mostListed bounds the lists of a report that are for people.
const mostListed = 20

func clipped(lines []string, most int) []string {
	if len(lines) <= most {
		return lines
	}
	return append(slices.Clone(lines[:most]), fmt.Sprintf("… and %d more", len(lines)-most))
}
