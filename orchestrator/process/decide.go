package process

import (
	"cmp"
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/deedrun/deed/internal/planted"
	"github.com/deedrun/deed/task"
)

// MaxTasks is the most tasks one step may have.
const MaxTasks = 100_000_000

// maxKeys is the most distinct keys a step may fan out over without `into`.
const maxKeys = 10_000

// RefusedError is a command that must not be granted. Sending it again changes
// nothing. Differs, for a StartProcess, lists how the running process differs.
type RefusedError struct {
	Process string
	Reason  string
	Differs []string
}

func (e *RefusedError) Error() string {
	s := fmt.Sprintf("process %q: %s", e.Process, e.Reason)
	if len(e.Differs) > 0 {
		s += ": " + strings.Join(e.Differs, "; ")
	}
	return s
}

// ErrNotStarted is what every command but StartProcess gets for a process that
// nobody started.
var ErrNotStarted = errors.New("no such process")

// Decide says what a command leads to. A command that was granted before, or
// that time has overtaken, gives no events and no error. The state stays as it was.
func Decide(s State, c Command) ([]Event, error) {
	return (&decision{edits: edit(s)}).on(c)
}

// decision collects the events of one command; each is applied at once, so
// that what follows from it is decided on the state after it.
type decision struct {
	*edits
	events  []Event
	at      time.Time
	follows func(Event) // if set, is told each event that makes sense, once it is applied
}

// on decides on a command. After an error some of what it led to may be applied.
func (d *decision) on(c Command) ([]Event, error) {
	if d.damaged != nil {
		return nil, fmt.Errorf("%w; the process stands still until a version of deed that knows better reads it", d.damaged)
	}
	if _, begins := c.(StartProcess); d.graph == nil && !begins {
		return nil, ErrNotStarted
	}
	d.at = c.when()
	if err := d.decide(c); err != nil {
		return nil, err
	}
	d.shareRoom()
	return d.events, d.damaged
}

func (d *decision) decide(c Command) error {
	switch c := c.(type) {
	case StartProcess:
		return d.start(c)
	case ConfirmTasks:
		return d.confirmTasks(c)
	case FailTasks:
		return d.failTasks(c)
	case ReuseTasks:
		return d.reuseTasks(c)
	case LoseTasks:
		return d.loseTasks(c)
	case TryTimeoutTask:
		return d.tryTimeout(c)
	case FireTimer:
		return d.fireTimer(c)
	case FireDeadline:
		return d.fireDeadline()
	}
	return d.byRequest(c)
}

func (d *decision) emit(e Event) {
	d.events = append(d.events, e)
	d.edits.apply(e)
	if d.follows != nil && d.damaged == nil {
		d.follows(e)
	}
}

// alive finds the node that a report speaks of, and which of its tasks are still
// open. None are when the report is late: of an ended process, an older
// generation, a step that was taken out, or about tasks that others have confirmed.
func (d *decision) alive(address string, generation int, tasks task.Ranges) (i int, open task.Ranges, err error) {
	i, ok := d.graph.number[address]
	if !ok {
		if _, was := d.retired[address]; was { // a revision took it out: the report is late
			return 0, nil, nil
		}
		return 0, nil, d.refuse("it has no step %q", address)
	}
	n := d.nodes[i]
	if generation != n.generation && !planted.Is(planted.UnfencedGeneration) || n.phase != running || !d.live() {
		return i, nil, nil
	}
	if len(tasks) == 0 || tasks[0].First < 0 || tasks[len(tasks)-1].End() > n.scheduled {
		return 0, nil, d.refuse("%q has no scheduled tasks %s (scheduled so far: the first %d)", address, tasks, n.scheduled)
	}
	return i, n.tasks.open(tasks), nil
}

// executing is the same for a report about an attempt: those of the open tasks at
// which it is the current one.
func (d *decision) executing(address string, generation, attempt int, tasks task.Ranges) (i int, current task.Ranges, err error) {
	i, open, err := d.alive(address, generation, tasks)
	if err != nil || len(open) == 0 {
		return i, nil, err
	}
	return i, d.nodes[i].tasks.current(attempt, open), nil
}

func (d *decision) refuse(format string, args ...any) error {
	return &RefusedError{Process: d.ID, Reason: fmt.Sprintf(format, args...)}
}

// try is an execution of which the end is told.
type try struct {
	attempt int
	worker  string
	element string // as the worker calls it
}

func (d *decision) fail(i, index int, last try, reason string) {
	d.emit(ProcessFailed{
		Address: d.graph.address(i), Index: index, Element: d.elementOf(i, index, last), Attempt: last.attempt, Worker: last.worker,
		Reason: reason, At: d.at,
	})
}

// elementOf is what a task is about: as the core knows it, or as the worker does.
func (d *decision) elementOf(i, index int, last try) string {
	return cmp.Or(d.element(i, index), clip(last.element, task.MaxElement))
}
