package specs

import (
	"cmp"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"

	"github.com/deedrun/deed/orchestrator/process"
	"github.com/deedrun/deed/task"
)

// Outcome is what follows as one sees it from outside. A field that is not set
// is not looked at; one that is set is the whole truth about it, so an empty
// list means that there is nothing.
type Outcome struct {
	Events    []string          // all events, in order, in the words in which deed prints them
	Status    process.Status    // of the process
	Steps     map[string]string // by address: waiting, running, sealing, completed or skipped
	Scheduled []Tasks           // what When scheduled, at whatever attempt
	Retries   []Waiting         // what waits to be tried again
	Skipped   []Tasks           // what steps went on without
	Data      map[string]Parts  // by name: what has been sealed
	Because   string            // the process failed or was cancelled, and the reason contains this
}

// Tasks are tasks of a step.
type Tasks struct {
	Address string
	Tasks   task.Ranges
}

// Waiting is tasks that wait to be tried again, and for how much longer.
type Waiting struct {
	Tasks
	For time.Duration
}

// Parts says how many parts a name holds, and, if Keys is not nil, how many
// under each key.
type Parts struct {
	Count int
	Keys  map[string]int
}

// MismatchError is an aspect of what follows that is not as it should be.
type MismatchError struct {
	Spec      string // its name
	About     string // "events", "status", …
	Want, Got []string
}

func (e *MismatchError) Error() string {
	return fmt.Sprintf("spec %q: %s\n%s", e.Spec, e.About, diff(e.Want, e.Got))
}

// The aspects of an outcome, as they are called in mismatches and files.
const (
	AboutEvents    = "events"
	AboutStatus    = "status"
	AboutSteps     = "steps"
	AboutScheduled = "scheduled"
	AboutRetries   = "waiting for retry"
	AboutSkipped   = "skipped"
	AboutData      = "data"
	AboutBecause   = "because"
)

// check returns every aspect that differs as a *MismatchError, joined.
func (o *Outcome) check(name string, s process.State, when process.Command, events []process.Event) error {
	var wrong []error
	compare := func(about string, want, got []string) {
		if !slices.Equal(want, got) {
			wrong = append(wrong, &MismatchError{Spec: name, About: about, Want: want, Got: got})
		}
	}
	if o.Events != nil {
		compare(AboutEvents, canonical(o.Events), canonical(lines(events)))
	}
	if o.Status != "" {
		compare(AboutStatus, []string{string(o.Status)}, []string{string(s.Status)})
	}
	if o.Steps != nil {
		compare(AboutSteps, phaseLines(o.Steps), phaseLines(phases(s, o.Steps)))
	}
	if o.Scheduled != nil {
		compare(AboutScheduled, taskLines(o.Scheduled), taskLines(scheduled(events)))
	}
	if o.Retries != nil {
		compare(AboutRetries, retryLines(o.Retries), retryLines(retries(s, timeOf(when))))
	}
	if o.Skipped != nil {
		compare(AboutSkipped, taskLines(o.Skipped), taskLines(skipped(s)))
	}
	if o.Data != nil {
		compare(AboutData, dataLines(o.Data), dataSealed(s, o.Data))
	}
	if o.Because != "" && !strings.Contains(s.Reason(), o.Because) {
		got := s.Reason()
		if got == "" {
			got = fmt.Sprintf("the process is %s", s.Status)
		}
		compare(AboutBecause, []string{o.Because}, []string{got})
	}
	return errors.Join(wrong...)
}

// lines is the outcome in prose.
func (o *Outcome) lines() []string {
	var all []string
	if o.Events != nil {
		all = append(all, canonical(o.Events)...)
	}
	if o.Status != "" {
		all = append(all, "the process "+map[bool]string{true: "has ", false: "is "}[o.Status == process.Failed]+string(o.Status))
	}
	all = append(all, phaseLines(o.Steps)...)
	labelled := func(label string, lines []string, said bool) {
		if said {
			all = append(all, label+": "+strings.Join(lines, ", "))
		}
	}
	labelled(AboutScheduled, taskLines(o.Scheduled), o.Scheduled != nil)
	labelled(AboutRetries, retryLines(o.Retries), o.Retries != nil)
	labelled(AboutSkipped, taskLines(o.Skipped), o.Skipped != nil)
	all = append(all, dataLines(o.Data)...)
	if o.Because != "" {
		all = append(all, "the reason is: "+o.Because)
	}
	return all
}

func phaseLines(steps map[string]string) []string {
	var all []string
	for _, address := range slices.Sorted(maps.Keys(steps)) {
		all = append(all, address+" is "+steps[address])
	}
	return all
}

// String is the tasks as a person writes them: count[0-2,5].
func (t Tasks) String() string {
	if len(t.Tasks) == 0 {
		return "no tasks of " + t.Address
	}
	text, _ := t.Tasks.MarshalText() // it has no error to return
	return fmt.Sprintf("%s[%s]", t.Address, text)
}

// taskLines lists each address once, in order.
func taskLines(tasks []Tasks) []string {
	together := map[string]task.Ranges{}
	for _, t := range tasks {
		together[t.Address] = together[t.Address].Union(t.Tasks)
	}
	var all []string
	for _, address := range slices.Sorted(maps.Keys(together)) {
		all = append(all, Tasks{address, together[address]}.String())
	}
	if len(all) == 0 {
		return []string{"nothing"}
	}
	return all
}

// retryLines lists what waits equally long together.
func retryLines(all []Waiting) []string {
	waits := map[time.Duration][]Tasks{}
	for _, w := range all {
		waits[w.For] = append(waits[w.For], w.Tasks)
	}
	var said []string
	for _, wait := range slices.Sorted(maps.Keys(waits)) {
		for _, tasks := range taskLines(waits[wait]) {
			said = append(said, fmt.Sprintf("%s %s", tasks, task.Duration(wait)))
		}
	}
	if len(said) == 0 {
		return []string{"nothing"}
	}
	return said
}

func dataLines(data map[string]Parts) []string {
	var all []string
	for _, name := range slices.Sorted(maps.Keys(data)) {
		all = append(all, name+" has "+data[name].String())
	}
	return all
}

// String is "3 parts", or "3 parts: a (2), b (1)".
func (p Parts) String() string {
	s := "1 part"
	if p.Count != 1 {
		s = fmt.Sprintf("%d parts", p.Count)
	}
	for i, key := range slices.Sorted(maps.Keys(p.Keys)) {
		s += map[bool]string{true: ": ", false: ", "}[i == 0] + fmt.Sprintf("%s (%d)", cmp.Or(key, "no key"), p.Keys[key])
	}
	return s
}
