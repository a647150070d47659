package process

import (
	"cmp"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"

	"github.com/deedrun/deed/internal/planted"
	"github.com/deedrun/deed/orchestrator/definition"
	"github.com/deedrun/deed/task"
)

// MaxTasks is the most tasks one step may have.
const MaxTasks = 100_000_000

// maxTrace is the longest traceparent that is kept; the version there is now has 55 characters.
const maxTrace = 128

// MaxKeys is the most distinct keys a step may fan out over without `into`.
const MaxKeys = 10_000

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
	d.at = c.when()
	if start, ok := c.(StartProcess); ok {
		return d.decideStart(start)
	}
	if d.graph == nil {
		return nil, ErrNotStarted
	}
	if err := d.decide(c); err != nil {
		return nil, err
	}
	d.shareRoom()
	return d.events, d.damaged
}

func (d *decision) decide(c Command) error {
	switch c := c.(type) {
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

func (d *decision) decideStart(c StartProcess) ([]Event, error) {
	if d.graph != nil {
		return nil, decideAgain(d.State, c)
	}
	if err := checkStart(c); err != nil {
		return nil, &RefusedError{Process: c.ID, Reason: err.Error()}
	}
	if len(c.Trace) > maxTrace { // nothing depends on it: better none than a process refused
		c.Trace = ""
	}
	d.emit(ProcessStarted{
		ID: c.ID, Definition: c.Definition, Hash: c.Definition.Hash(), Inputs: c.Inputs, Trace: c.Trace, Parent: c.Parent, Asked: c.Asked, At: c.At,
	})
	if d.damaged == nil {
		d.advanceAll()
		d.shareRoom()
	}
	if d.damaged != nil {
		return nil, &RefusedError{Process: c.ID, Reason: d.damaged.Error()}
	}
	return d.events, nil
}

// decideAgain refuses the start of a process that exists, unless it is the same.
func decideAgain(s State, c StartProcess) error {
	if s.Parent != nil && c.Parent != nil && *s.Parent == *c.Parent {
		return nil // its parent may have been revised since: those that were started keep what they have
	}
	if c.Definition.Hash() == s.Hash { // what it was revised to is as good as what it began with
		s.Original = s.Definition
	}
	if differs := differences(s, c); len(differs) > 0 {
		return &RefusedError{
			Process: s.ID, Differs: differs,
			Reason: "it exists and is another job; choose another ID or give the same definition, inputs and parameters",
		}
	}
	return nil
}

// differences lists how a start differs from the process that has its ID.
func differences(s State, c StartProcess) []string {
	differs := definition.Diff(*s.Original, c.Definition)
	for _, name := range slices.Sorted(maps.Keys(c.Inputs)) {
		was, given := s.Inputs[name]
		if given && was.Digest != c.Inputs[name].Digest {
			differs = append(differs, fmt.Sprintf("input %s: other content (%s now, %s then)", name,
				plural(c.Inputs[name].Count, "part"), plural(was.Count, "part")))
		}
	}
	return differs
}

func checkStart(c StartProcess) error {
	if err := CheckID(c.ID); err != nil {
		return err
	}
	if slices.Contains(folders, c.ID) {
		return fmt.Errorf("%q is the name of a folder of the blob store, in which the data of the process would lie among others': choose another ID", c.ID)
	}
	if err := checkParent(c); err != nil {
		return err
	}
	if _, err := newGraph(&c.Definition); err != nil {
		return err
	}
	for _, f := range c.Definition.AllFiles() {
		if f.Ref.Elsewhere() {
			return fmt.Errorf("file %q lies elsewhere: what travels with a definition lies in the store", clip(f.Name, 100))
		}
	}
	for _, name := range c.Definition.Inputs {
		d, given := c.Inputs[name]
		switch {
		case !given:
			return fmt.Errorf("input %q is not given: add --in %s=PATH", name, name)
		case !addsUp(d):
			return fmt.Errorf("input %q says it has %d parts but lists %d", name, d.Count, len(d.Parts))
		}
		for _, p := range d.Parts {
			if p.Ref == nil {
				continue
			}
			if err := p.Ref.Check(); err != nil {
				return fmt.Errorf("input %q: %w", name, err)
			}
		}
	}
	for _, name := range slices.Sorted(maps.Keys(c.Inputs)) {
		if !slices.Contains(c.Definition.Inputs, name) {
			return fmt.Errorf("%q is not an input of %s; its inputs are: %s", name, c.Definition.Name, strings.Join(c.Definition.Inputs, ", "))
		}
	}
	return nil
}

// folders are those of the blob store that belong to no process. Blobs of a
// process lie in one of its ID; who goes through snapshots or sweeps would come
// upon them. Earlier versions started processes with these IDs.
var folders = []string{"archives", "inputs", "logs", "renewed", "sha256", "snapshots", "sweeping", "views"}

// CheckID refuses what cannot be the ID of a process.
func CheckID(id string) error {
	const letters = "abcdefghijklmnopqrstuvwxyz0123456789-"
	if len(id) < 1 || len(id) > 64 || strings.Trim(id, letters) != "" {
		return fmt.Errorf("an ID is 1 to 64 of the characters a-z, 0-9 and -, not %q", clip(id, 100))
	}
	return nil
}

// alive returns the node a report speaks of, and which of its tasks are still
// open. None are when the report is late: of an ended process, an older
// generation, a step that was taken out, or about tasks that others have confirmed.
func (d *decision) alive(address string, generation int, tasks task.Ranges) (int, *node, task.Ranges, error) {
	i, ok := d.graph.number[address]
	if !ok {
		if _, was := d.retired[address]; was { // a revision took it out: the report is late
			return 0, &node{}, nil, nil
		}
		return 0, nil, nil, &RefusedError{Process: d.ID, Reason: fmt.Sprintf("it has no step %q", address)}
	}
	n := d.nodes[i]
	if generation != n.generation && !planted.Is(planted.UnfencedGeneration) || n.phase != running || !d.live() {
		return i, n, nil, nil
	}
	if len(tasks) == 0 || tasks[0].First < 0 || tasks[len(tasks)-1].End() > n.scheduled {
		return 0, nil, nil, &RefusedError{
			Process: d.ID,
			Reason:  fmt.Sprintf("%q has no scheduled tasks %s (scheduled so far: the first %d)", address, tasks, n.scheduled),
		}
	}
	return i, n, n.tasks.open(tasks), nil
}

// current keeps those of the tasks whose current attempt is this one and is
// not over already.
func (n *node) current(open task.Ranges, attempt int) task.Ranges {
	var same []int
	for i := range open.All() {
		if t := n.tasks.trouble(i); (t.attempt == attempt || planted.Is(planted.UnfencedAttempt)) && t.stand == underWay {
			same = append(same, i)
		}
	}
	return task.Of(same...)
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

// element is what people call the part that a task is about, if the core knows:
// lists that were merged on a worker are not known here.
func (d *decision) element(i, index int) string {
	step, isStep := d.graph.step(i)
	if !isStep || step.Each == nil || index < 0 {
		return ""
	}
	if len(step.Each.With) > 0 && step.Each.Into == 0 {
		return d.keyOf(step, index)
	}
	data, _ := d.Data(step.Each.Data)
	var parts []task.Part
	switch {
	case step.Each.Into > 0:
		return ""
	case step.Each.ByKey:
		parts = group(data.Parts, 0)(index)
	case index < len(data.Parts):
		parts = data.Parts[index : index+1]
	}
	if len(parts) == 0 {
		return ""
	}
	if step.Each.ByKey || parts[0].Name == "" {
		return parts[0].Key
	}
	if parts[0].Key == "" {
		return parts[0].Name
	}
	return parts[0].Key + "/" + parts[0].Name
}
