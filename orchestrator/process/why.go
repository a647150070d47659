package process

import (
	"fmt"
	"strings"
	"time"

	"github.com/deedrun/deed/internal/amount"
	"github.com/deedrun/deed/task"
)

// Standing is where a task, a step or a process stands, in a word.
type Standing string

// The standings. Of an open task the core knows no more than that it is
// scheduled: whether a worker has it, only workers can say.
const (
	IsWaiting   Standing = "waiting"   // for what its step reads
	IsHeldBack  Standing = "held back" // by the parallelism of its step, or of the process
	IsPaused    Standing = "paused"    // by a person
	IsRetrying  Standing = "retrying"  // an attempt failed, and another one is planned
	IsScheduled Standing = "scheduled" // open: to be executed, or being executed
	IsRunning   Standing = "running"   // a step, or a process
	IsSealing   Standing = "sealing"   // a step: its lists are being merged
	IsConfirmed Standing = "confirmed"
	IsSkipped   Standing = "skipped"
	IsCompleted Standing = "completed"
	IsFailed    Standing = "failed"
	IsStopped   Standing = "stopped" // open, but its process has ended
)

// Explanation says where something stands, why, and how it came to that.
type Explanation struct {
	Process    string      `json:"process"`
	Address    string      `json:"address,omitempty"` // "": the process as a whole
	Index      int         `json:"index"`             // -1: the step as a whole
	Element    string      `json:"element,omitempty"`
	Generation int         `json:"generation,omitempty"`
	Attempt    int         `json:"attempt,omitempty"` // of a task: the current one
	Child      string      `json:"child,omitempty"`   // of a task: the process that it is, at this attempt
	Standing   Standing    `json:"standing"`
	Due        time.Time   `json:"due,omitzero"`       // of a task that waits for its retry
	Because    []string    `json:"because"`            // sentences, the decisive one first
	WaitsFor   []string    `json:"waitsFor,omitempty"` // addresses of the steps that a step waits for
	Raise      []string    `json:"raise,omitempty"`    // settings that hold it back: count.parallelism, parallelism
	Tasks      *Progress   `json:"tasks,omitempty"`
	Story      []Happening `json:"story,omitempty"`
}

// Happening is an event as the task, step or process in question sees it.
type Happening struct {
	At         time.Time `json:"at"`
	Generation int       `json:"generation,omitempty"`
	Attempt    int       `json:"attempt,omitempty"`
	Text       string    `json:"text"`
}

// Why explains where a task of an address stands; with index -1, where the
// step does; with no address, where the process does. The events of the
// history that Concerns keeps make the story; now is what "in 5s" counts
// from, and its location is that of the times in sentences.
func Why(s State, address string, index int, history []Event, now time.Time) (Explanation, error) {
	if s.graph == nil {
		return Explanation{}, ErrNotStarted
	}
	w := why{s: s, now: now, Explanation: Explanation{Process: s.ID, Address: address, Index: index}}
	if address == "" {
		w.Index = -1
		w.process()
	} else {
		i, ok := s.graph.number[address]
		if !ok {
			return Explanation{}, s.noStep(address)
		}
		w.Generation = s.nodes[i].generation
		if index < 0 {
			w.step(i)
			w.odd(i)
		} else if err := w.task(i, index); err != nil {
			return Explanation{}, err
		}
	}
	w.tell(history)
	return w.Explanation, nil
}

// why is an explanation in the making.
type why struct {
	Explanation
	s   State
	now time.Time
}

func (w *why) stands(as Standing) { w.Standing = as }

func (w *why) because(format string, args ...any) {
	w.Because = append(w.Because, fmt.Sprintf(format, args...))
}

func (s State) paused() string {
	if s.Pause == nil {
		return "the process is paused"
	}
	return "the process is paused" + s.Pause.Asked.String()
}

func (s State) noStep(address string) error {
	return fmt.Errorf("process %q has %s", s.ID, s.graph.noStep(address))
}

func (w *why) task(i, index int) error {
	n := w.s.nodes[i]
	if n.phase == waiting {
		w.waits(i)
		return nil
	}
	if index >= n.total {
		if n.total == 0 {
			return fmt.Errorf("%s of process %q has no tasks: what it reads is empty", w.Address, w.s.ID)
		}
		return fmt.Errorf("%s of process %q has %s, the last one is %s[%d]", w.Address, w.s.ID, amount.Of(n.total, "task"), w.Address, n.total-1)
	}
	t := n.tasks.trouble(index)
	w.Attempt, w.Element = t.attempt, w.s.Element(w.Address, index)
	if step, _ := w.s.graph.step(i); step.Process != nil && index < n.scheduled {
		w.Child = ChildID(w.s.parentOf(StartChildren{Address: w.Address, Generation: n.generation, Attempt: t.attempt}, index))
	}
	switch closed := len(n.tasks.open(task.Span(index, 1))) == 0; {
	case t.stand == skipped:
		w.stands(IsSkipped)
		w.because("its step goes on without it: %s", n.reasonOf(index))
	case closed:
		w.stands(IsConfirmed)
	case w.s.Ended() && t.stand == broken:
		w.stands(IsFailed)
		w.because("%s", w.s.failureOf(w.Address, index))
	case w.s.Ended():
		w.stands(IsStopped)
		w.because("the process has ended before it was confirmed: %s", w.s.Reason())
	case index >= n.scheduled:
		w.unscheduled(i, index)
	case t.stand == planned:
		w.planned(i, t)
	case w.s.Status == Paused:
		w.stands(IsPaused)
		w.because("%s; if a worker is executing it, that goes on and its result counts", w.s.paused())
	case w.Child != "":
		w.stands(IsScheduled)
		w.because("attempt %d is a process of its own, %s%s", t.attempt, w.Child, w.spent(i, t))
	default:
		w.stands(IsScheduled)
		w.because("attempt %d is scheduled, for whichever worker takes it%s", t.attempt, w.spent(i, t))
	}
	return nil
}

// unscheduled explains a task that was never scheduled.
func (w *why) unscheduled(i, index int) {
	n := w.s.nodes[i]
	step, _ := w.s.graph.step(i)
	open, ofAll, most := n.scheduled-n.closed(), w.s.openTasks(), w.s.Definition.Parallelism
	if step.Parallelism > 0 && (open >= step.Parallelism || most <= 0) {
		w.heldBack(step.Address + ".parallelism")
		w.because("of its step no more than %s may be open at a time (parallelism), and %d are; %s before it",
			amount.Of(step.Parallelism, "task"), open, othersCome(index-n.scheduled))
	}
	if most > 0 && ofAll >= most {
		w.heldBack("parallelism")
		w.because("of the whole process no more than %s may be open at a time (parallelism), and %d are, %d of its step; of its step %s before it",
			amount.Of(most, "task"), ofAll, open, othersCome(index-n.scheduled))
	}
	if w.s.Status == Paused {
		w.stands(IsPaused)
		w.because("%s", w.s.paused())
	}
}

// heldBack says that a setting would have to be raised.
func (w *why) heldBack(setting string) {
	w.stands(IsHeldBack)
	w.Raise = append(w.Raise, setting)
}

// planned explains a task that waits for its retry.
func (w *why) planned(i int, t trouble) {
	w.stands(IsRetrying)
	w.Due = time.Unix(0, t.due).UTC()
	switch {
	case w.s.Status == Paused:
		w.stands(IsPaused)
		w.because("%s; after that it is tried again, as attempt %d%s", w.s.paused(), t.attempt, w.spent(i, t))
	case w.Due.After(w.now):
		w.because("it waits until %s (%s) to be tried again, as attempt %d%s", w.clock(w.Due), inTime(w.Due.Sub(w.now)), t.attempt, w.spent(i, t))
	default:
		w.because("it is due to be tried again, as attempt %d%s", t.attempt, w.spent(i, t))
	}
}

// spent says how much of its budgets a task has used, if it has.
func (w *why) spent(i int, t trouble) string {
	var said []string
	if t.failures > 0 {
		said = append(said, fmt.Sprintf("it has failed %d of the %s that its step allows", t.failures, amount.Of(w.s.graph.retry(i).Attempts, "time")))
	}
	if t.losses > 0 {
		said = append(said, fmt.Sprintf("it was lost with its worker %d of the %s it may be", t.losses, amount.Of(LossBudget, "time")))
	}
	if len(said) == 0 {
		return ""
	}
	return "; " + strings.Join(said, ", and ")
}

// failureOf is why a task failed for good.
func (s State) failureOf(address string, index int) string {
	if f := s.Failure; f != nil && f.Address == address && f.Index == index {
		return "it ended the process: " + f.Reason
	}
	return "it failed for good, and the process has ended: " + s.Reason()
}

func (n *node) reasonOf(index int) string {
	for _, skip := range n.skips {
		if skip.Tasks.Contains(index) && skip.Reason != "" {
			return skip.Reason
		}
	}
	return "the story below says why"
}

// clock is a time as people read it: the date only where it is another day.
func (w *why) clock(t time.Time) string {
	t = t.In(w.now.Location())
	if t.Format(time.DateOnly) == w.now.Format(time.DateOnly) {
		return t.Format(time.TimeOnly)
	}
	return t.Format(time.DateTime)
}

func inTime(d time.Duration) string {
	switch {
	case d < time.Second:
		return "in less than a second"
	case d < time.Minute:
		return "in " + d.Round(time.Second/10).String()
	}
	return "in " + task.Duration(d.Round(time.Second)).String()
}

func othersCome(n int) string {
	switch n {
	case 0:
		return "no other comes"
	case 1:
		return "1 other comes"
	}
	return fmt.Sprintf("%d others come", n)
}
