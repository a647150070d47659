package process

import (
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/deedrun/deed/internal/amount"
	"github.com/deedrun/deed/task"
)

// Each event says its own sentence: histories, specifications and refusals are
// told with them.

func (e ProcessStarted) String() string {
	return fmt.Sprintf("process %s started%s%s%s%s", e.Definition.Name, e.by(), asChild(e.Parent), described(" with ", e.Inputs), e.why())
}

func (e StepStarted) String() string {
	again := ""
	if e.Generation > 0 {
		again = fmt.Sprintf(" as generation %d", e.Generation)
	}
	return fmt.Sprintf("%s started%s: %s", e.Address, again, amount.Of(e.Tasks, "task"))
}

func (e TasksScheduled) String() string {
	if e.Attempt > 1 {
		return fmt.Sprintf("%s scheduled again, attempt %d", subject(e.Address, e.Tasks), e.Attempt)
	}
	return subject(e.Address, e.Tasks) + " scheduled"
}

func (e TasksConfirmed) String() string {
	return fmt.Sprintf("%s confirmed, attempt %d", subject(e.Address, e.Tasks), e.Attempt) + wrote(e.Parts, e.Manifest, e.Sealed) + described(", its child writing ", e.Lists)
}

func (e TasksReused) String() string {
	from := ""
	switch processes := originsOf(e.Origins); {
	case len(e.Origins) == 1:
		from = ", as done by " + e.Origins[0].Attempt.String()
	case len(processes) == 1:
		from = ", as done in process " + processes[0]
	case len(processes) > 1:
		from = fmt.Sprintf(", as done in %d processes", len(processes))
	}
	return fmt.Sprintf("%s reused%s", subject(e.Address, e.Tasks), from) + wrote(e.Parts, e.Manifest, nil)
}

// originsOf lists the processes of origins.
func originsOf(origins []task.Origin) []string {
	var processes []string
	for _, o := range origins {
		processes = append(processes, o.Attempt.Process)
	}
	slices.Sort(processes)
	return slices.Compact(processes)
}

func (e StepSkipped) String() string {
	return fmt.Sprintf("%s skipped, since it does not hold that %s", e.Address, e.When)
}

func (e RepeatEnded) String() string {
	if e.Until == "" {
		return fmt.Sprintf("%s ended after %s", e.Address, amount.Of(e.Rounds, "round"))
	}
	return fmt.Sprintf("%s ended after %s, since %s", e.Address, amount.Of(e.Rounds, "round"), e.Until)
}

func (e TasksFailed) String() string {
	return fmt.Sprintf("%s failed at attempt %d (%s): %s", subject(e.Address, e.Tasks), e.Attempt, e.Verdict, e.Error)
}

func (e TasksRetryPlanned) String() string {
	when := "as soon as the process runs"
	if wait := e.Due.Sub(e.At); wait > 0 {
		when = task.Duration(wait).String() + " later"
	}
	return fmt.Sprintf("%s to be retried as attempt %d, %s", subject(e.Address, e.Tasks), e.Attempt, when)
}

func (e TasksLost) String() string {
	return fmt.Sprintf("%s lost with its worker at attempt %d", subject(e.Address, e.Tasks), e.Attempt)
}

func (e TaskTimedOut) String() string {
	return fmt.Sprintf("%s[%d] timed out at attempt %d", e.Address, e.Index, e.Attempt)
}

func (e TasksSkipped) String() string {
	return fmt.Sprintf("%s skipped: %s", subject(e.Address, e.Tasks), e.Reason)
}

func (e StepCompleted) String() string {
	return e.Address + " completed" + described(": ", e.Data)
}

func (e ProcessCompleted) String() string { return "process completed" }

func (e ProcessDeadlineMissed) String() string {
	return fmt.Sprintf("the deadline of %s was missed", e.Deadline)
}

func (e ProcessFailed) String() string {
	if e.Address == "" {
		return "process failed: " + e.Reason
	}
	where := e.Address
	if e.Index >= 0 {
		where = fmt.Sprintf("%s[%d]", e.Address, e.Index)
	}
	if e.Element != "" {
		where += fmt.Sprintf(" (%s)", e.Element)
	}
	if e.Attempt > 0 {
		where += fmt.Sprintf(", attempt %d", e.Attempt)
	}
	if e.Worker != "" {
		where += " on worker " + e.Worker
	}
	return fmt.Sprintf("process failed at %s: %s", where, e.Reason)
}

// subject names tasks as people do: count[3], or count: tasks 0–2.
func subject(address string, tasks task.Ranges) string {
	if tasks.Len() == 1 {
		return fmt.Sprintf("%s[%d]", address, tasks[0].First)
	}
	return fmt.Sprintf("%s: tasks %s", address, tasks)
}

func describe(name string, d task.Dataset) string {
	s := fmt.Sprintf("%s of %s", name, amount.Of(d.Count, "part"))
	if d.Keys > 1 {
		s += fmt.Sprintf(" under %s", amount.Of(d.Keys, "key"))
	}
	return s
}

// described tells lists by their names; there is nothing to say before none.
func described(before string, lists map[string]task.Dataset) string {
	var s []string
	for _, name := range slices.Sorted(maps.Keys(lists)) {
		s = append(s, describe(name, lists[name]))
	}
	if len(s) == 0 {
		return ""
	}
	return before + strings.Join(s, ", ")
}

func wrote(parts []task.Produced, manifest *task.Ref, sealed *task.Dataset) string {
	switch {
	case sealed != nil:
		return fmt.Sprintf(", merging %s", amount.Of(sealed.Count, "part"))
	case manifest != nil:
		return ", its parts listed in a manifest"
	case len(parts) > 0:
		var names []string
		times := map[string]int{}
		for _, p := range parts {
			name := p.Data
			if p.Key != "" {
				name += " under key " + p.Key
			}
			if times[name]++; times[name] == 1 {
				names = append(names, name)
			}
		}
		for i, name := range names {
			if times[name] > 1 {
				names[i] = fmt.Sprintf("%s (%s)", name, amount.Of(times[name], "part"))
			}
		}
		const most = 4
		if len(names) > most {
			return fmt.Sprintf(", writing %s", amount.Of(len(parts), "part"))
		}
		return ", writing " + strings.Join(names, ", ")
	}
	return ""
}

func asChild(p *Parent) string {
	if p == nil {
		return ""
	}
	return " as the child of " + p.String()
}

// clip shortens a text from the middle: its first words say what happened, its
// last ones often why.
func clip(s string, most int) string {
	if len(s) <= most {
		return s
	}
	const gap = " […] "
	half := (most - len(gap)) / 2
	return strings.ToValidUTF8(s[:half], "") + gap + strings.ToValidUTF8(s[len(s)-half:], "")
}
