package autoscale

import (
	"fmt"
	"math"
	"time"

	"github.com/deedrun/deed/internal/amount"
	"github.com/deedrun/deed/task"
)

// Figures is what an orchestrator says of a pool at a moment.
type Figures struct {
	Waiting int           `json:"waiting"` // tasks that a worker could have now and that are not on the queue yet
	Out     int           `json:"out"`     // tasks on the queue or with workers
	Slots   int           `json:"slots"`   // of all workers that live
	Others  int           `json:"others"`  // of these, slots of workers that are not ours to start or stop
	Took    task.Duration `json:"took"`    // by a task, as measured of late; 0: none has ended yet
	Backlog task.Duration `json:"backlog"` // all those tasks, as time of one slot
}

func (f Figures) tasks() int { return f.Waiting + f.Out }

// slotsFor is how many slots are wanted for the backlog, and why. There are
// never more than tasks, and as long as there is a task, one at least. How long
// tasks take that nobody has seen end is unknown: each is given a slot.
func (f Figures) slotsFor(target time.Duration) (slots int, why string) {
	switch {
	case f.tasks() == 0:
		return 0, "no work"
	case f.unknown():
		return f.tasks(), fmt.Sprintf("%s, and none has ended yet: a slot for each", amount.Of(f.tasks(), "task"))
	}
	why = fmt.Sprintf("a backlog of %s of work", short(time.Duration(f.Backlog)))
	if f.Slots > 0 {
		why += fmt.Sprintf(", %s a slot", short(time.Duration(f.Backlog)/time.Duration(f.Slots)))
	}
	return max(within(float64(f.Backlog), target, f.tasks()), 1), why + ", target " + short(target)
}

// slotsUsed is how many slots there have to be at least if nothing is to get
// worse: those that are busy, and those that work off within the target what
// waits beside them. It does not depend on how many there are: what more slots
// are busy with does not wait.
func (f Figures) slotsUsed(target time.Duration) int {
	busy := min(f.Out, f.Slots)
	if f.unknown() || f.tasks() == busy {
		return f.tasks()
	}
	waits := f.tasks() - busy
	return busy + within(float64(f.Backlog)*float64(waits)/float64(f.tasks()), target, waits)
}

func (f Figures) unknown() bool { return f.Took <= 0 || f.Backlog <= 0 }

// within is how many slots work something off within a time.
func within(work float64, target time.Duration, most int) int {
	return int(min(math.Ceil(work/float64(target)), float64(most)))
}

// after reports whether something has ended since an earlier look: there are
// fewer tasks, or the measure of them has moved. What arrives meanwhile may hide
// the first, and nothing but the end of a task moves the second.
func (f Figures) after(earlier Figures) bool {
	return f.tasks() < earlier.tasks() || f.Took != earlier.Took
}

// short is a duration for people.
func short(d time.Duration) string {
	switch {
	case d < time.Second:
		return d.Round(time.Millisecond).String()
	case d < 10*time.Second:
		return d.Round(100 * time.Millisecond).String()
	}
	return d.Round(time.Second).String()
}
