package whatif

import (
	"fmt"
	"strings"
	"time"

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
		say("no divergence: under that definition all %s would have happened the same", plural(int(min(r.Events, 1<<31)), "event"))
		say("%s", r.Recorded.sentence(r.Recorded))
	} else {
		r.Divergence.tell(&b)
		section(&b, "would run, and did not", r.More)
		section(&b, "ran, and would not", r.Fewer)
		section(&b, "unknown from here, since nobody recorded what would come of", r.Unknown)
		section(&b, "ran, and would perhaps", r.Uncertain)
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
	fmt.Fprintf(b, "the first divergence is at event %d, %s\n", d.Event, d.At.Format(time.RFC3339))
	row := func(what string, lines []string, none string) {
		if len(lines) == 0 {
			lines = []string{none}
		}
		for i, line := range lines {
			if i > 0 {
				what = ""
			}
			fmt.Fprintf(b, "  %-9s %s\n", what, line)
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
	fmt.Fprintf(b, "retries   %d recorded, %s%d instead\n", r.Retries.Recorded, map[bool]string{true: "", false: "at least "}[r.Instead.ended()], r.Retries.Instead)
	if r.LeftOut > 0 {
		fmt.Fprintf(b, "left out  recorded results of %s, which mean nothing there\n", plural(r.LeftOut, "task"))
	}
	for _, refused := range r.Refused {
		fmt.Fprintf(b, "refused   event %d, %s: %s\n", refused.Event, refused.Command, refused.Reason)
	}
	if more := r.Refusals - len(r.Refused); more > 0 {
		fmt.Fprintf(b, "refused   … and %s more\n", plural(more, "command"))
	}
	fmt.Fprintf(b, "recorded  %s\n", r.Recorded.sentence(r.Recorded))
	fmt.Fprintf(b, "instead   %s\n", r.Instead.sentence(r.Recorded))
}

func (e End) ended() bool {
	switch e.Status {
	case "completed", "failed", "cancelled":
		return true
	}
	return false
}

// sentence says how a world ended, beside the recorded one.
func (e End) sentence(recorded End) string {
	if !e.ended() {
		if recorded.ended() {
			return fmt.Sprintf("still %s after %s, which is as far as it is known", e.Status, rounded(e.Took))
		}
		return fmt.Sprintf("%s, after %s", e.Status, rounded(e.Took))
	}
	s := fmt.Sprintf("%s after %s", e.Status, rounded(e.Took))
	if e.Reason != "" {
		s += "; " + e.Reason
	}
	return s
}

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
		fmt.Fprintf(b, "  %s\n", line)
	}
}

// String names the tasks, and the attempt and the generation where they are not the first.
func (t Tasks) String() string {
	s := named(t.Address, t.Tasks)
	if n := t.Tasks.Len(); n > 1 {
		s += fmt.Sprintf(" (%d)", n)
	}
	if t.Attempt > 1 {
		s += fmt.Sprintf(", attempt %d", t.Attempt)
	}
	if t.Generation > 0 {
		s += fmt.Sprintf(", generation %d", t.Generation)
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

func plural(n int, noun string) string {
	if n == 1 {
		return "1 " + noun
	}
	return fmt.Sprintf("%d %ss", n, noun)
}
