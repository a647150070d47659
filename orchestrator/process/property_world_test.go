package process

import (
	"cmp"
	"encoding/json"
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"

	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"

	"github.com/deedrun/deed/task"
)

// world is a process and all that is around it. Effects are performed as the
// shell would; what a worker was ever sent it may report on at any time.
type world struct {
	t       *rapid.T
	s       State
	twin    State  // folded from what is stored, one event at a time
	pass    *Pass  // that decides on several commands, one after the other
	began   State  // of that
	before  string // digest of it, then
	history []Event
	at      time.Time
	nonce   int

	sent     []Enqueue        // one task each, whatever became of it since
	queued   map[attempt]bool // sent, and not purged since
	timers   map[timerKey]bool
	deadline time.Time
	granted  []Command // that led to events, and carry an ID
	rules    *rules
	story    []incident
}

// incident is a command and what came of it.
type incident struct {
	at      time.Time
	command Command
	events  []Event
	err     error
}

func (h incident) String() string {
	s := fmt.Sprintf("\n%s  %s", h.at.Format("15:04:05.000"), h.command)
	switch c := h.command.(type) {
	case StartProcess:
		s += fmt.Sprintf("\n              parallelism %d: %+v", c.Definition.Parallelism, c.Definition.Steps)
	case ReviseProcess:
		s += fmt.Sprintf("\n              parallelism %d: %+v", c.Definition.Parallelism, c.Definition.Steps)
	}
	if h.err != nil {
		return s + fmt.Sprintf("\n              refused: %s", h.err)
	}
	for _, e := range h.events {
		s += fmt.Sprintf("\n              → %s", e)
	}
	return s
}

type attempt struct {
	address                    string
	generation, index, attempt int
}

type timerKey struct {
	attempt
	due int64
}

func newWorld(t *rapid.T) *world {
	return &world{t: t, at: start, queued: map[attempt]bool{}, timers: map[timerKey]bool{}, rules: newRules()}
}

// together has a command decided on in one pass with those before it, which leads
// to the same events, effects and state as each for itself.
func (w *world) together(c Command, events []Event, err error) {
	if w.pass == nil || rapid.IntRange(0, 4).Draw(w.t, "a pass ends") == 0 {
		w.pass, w.began, w.before = Begin(w.s), w.s, digest(w.s)
	}
	var effects []Effect
	s := w.s
	for _, e := range events {
		s = Evolve(s, e)
		effects = append(effects, React(s, e)...)
	}
	same, asked, errSame := w.pass.Decide(c)
	require.Equal(w.t, fmt.Sprint(err), fmt.Sprint(errSame))
	require.Equal(w.t, digest(events), digest(same))
	require.Equal(w.t, effects, asked)
	require.Equal(w.t, digest(s), digest(w.pass.State()))
	require.Equal(w.t, w.before, digest(w.began), "what a pass began with stays as it was")
}

// tell has a command decided on, stored and performed, and checks every rule.
// It reports whether the command led to anything.
func (w *world) tell(c Command) bool {
	t := w.t
	events, err := Decide(w.s, c)
	again, errAgain := Decide(w.twin, c)
	require.Equal(t, digest(events), digest(again), "decided on the stored history, it is the same: %s", c)
	require.Equal(t, fmt.Sprint(err), fmt.Sprint(errAgain))
	w.story = append(w.story, incident{w.at, c, events, err})
	w.together(c, events, err)
	if err != nil {
		var refused *RefusedError
		require.ErrorAs(t, err, &refused)
		require.Empty(t, events)
		return false
	}
	for _, e := range events {
		w.rules.event(t, w.s, e)
		w.s = Evolve(w.s, e)
		require.NoError(t, w.s.Damage())
		w.twin = Evolve(w.twin, storedAndRead(t, e))
		w.perform(React(w.s, e))
	}
	w.history = append(w.history, events...)
	w.rules.state(t, w)
	return len(events) > 0
}

// storedAndRead is the event as another owner would read it.
func storedAndRead(t *rapid.T, e Event) Event {
	s, err := Encode(e)
	require.NoError(t, err)
	read, err := Decode(s)
	require.NoError(t, err)
	require.Equal(t, digest(e), digest(read), "an event is read as it was stored")
	return read
}

func (w *world) perform(effects []Effect) {
	for _, e := range effects {
		switch e := e.(type) {
		case Enqueue:
			require.Equal(w.t, Running, w.s.Status, "nothing is sent unless the process runs: %s", e)
			for i := range e.Tasks.All() {
				w.queued[attempt{e.Address, e.Generation, i, e.Attempt}] = true
				one := e
				one.Tasks = task.Span(i, 1)
				w.rules.message(w.t, w.s, one)
				w.sent = append(w.sent, one)
			}
		case StartChildren:
			require.Equal(w.t, Running, w.s.Status, "no child is started unless the process runs: %s", e)
			for i := range e.Tasks.All() {
				w.queued[attempt{e.Address, e.Generation, i, e.Attempt}] = true
				w.rules.child(w.t, w.s, e, i)
				w.sent = append(w.sent, Enqueue{Address: e.Address, Generation: e.Generation, Attempt: e.Attempt, Tasks: task.Span(i, 1)})
			}
		case SetTimer:
			for i := range e.Tasks.All() {
				w.timers[timerKey{attempt{e.Address, e.Generation, i, e.Attempt}, e.Due.UnixNano()}] = true
			}
		case SetDeadline:
			w.deadline = e.Due
		case Withhold:
			clear(w.queued)
		case Halt:
			w.rules.halted(w.t, w, e)
			clear(w.queued)
		}
	}
	if w.s.Ended() { // as the shell does: a retry sets them again
		clear(w.timers)
		w.deadline = time.Time{}
	}
}

// result is what a worker would write at one attempt: other bytes each time.
func (w *world) result(e Enqueue) ConfirmTasks {
	w.nonce++
	c := ConfirmTasks{
		Address: e.Address, Generation: e.Generation, Attempt: e.Attempt, Tasks: e.Tasks, Worker: "w",
		Elapsed: task.Duration(time.Second), At: w.at,
	}
	work, err := Message(w.s, e, e.Tasks)
	if err != nil { // the step is over: a zombie reports all the same
		return c
	}
	if step, _ := w.s.Step(e.Address); step.Process != nil {
		c.Tasks, c.Lists = task.Span(e.Tasks[0].First, 1), map[string]task.Dataset{}
		for _, out := range step.Process.Outputs {
			c.Lists[out] = listOf(rapid.IntRange(0, 2).Draw(w.t, "handed up"))
			if rapid.IntRange(0, 5).Draw(w.t, "listed") == 0 {
				c.Lists[out] = manifestOf(3)
			}
		}
		return c
	}
	if work.Seal != nil {
		n := len(work.Seal.Sources)
		c.Sealed = &task.Dataset{Count: n, Keys: min(n, 2), Manifest: &task.Manifest{Ref: task.Ref{Key: fmt.Sprint("merged-", w.nonce)}}}
		if work.Seal.Keys {
			c.Sealed.KeyNames = []string{"k0", "k1"}[:min(n, 2)]
		}
		return c
	}
	if rapid.IntRange(0, 5).Draw(w.t, "form") == 0 {
		c.Manifest = &task.Ref{Key: fmt.Sprint("report-", w.nonce), Size: 1, SHA256: "00"}
		return c
	}
	value := json.RawMessage(fmt.Sprint(w.nonce))
	if work.Run.Handler == "large" { // too much for the core to list: it is merged, in rounds
		value = fmt.Appendf(nil, `"%0*d"`, maxInline, w.nonce)
	}
	for i := range e.Tasks.All() {
		for n := range rapid.IntRange(0, 2).Draw(w.t, "parts") {
			c.Parts = append(c.Parts, task.Produced{
				Index: i, Data: work.Outputs[n%len(work.Outputs)].Data,
				Part: task.Part{Key: fmt.Sprintf("k%d", n), Value: value},
			})
		}
	}
	return c
}

// waiting lists what is on the queue and still to be executed, in the order of
// the state, together where the attempt is the same.
func (w *world) waiting() []Enqueue {
	var found []Enqueue
	for _, effect := range Resume(w.s) {
		var e Enqueue
		switch effect := effect.(type) {
		case Enqueue:
			e = effect
		case StartChildren:
			e = Enqueue(effect)
		default:
			continue
		}
		var queued []int
		for i := range e.Tasks.All() {
			if w.queued[attempt{e.Address, e.Generation, i, e.Attempt}] {
				queued = append(queued, i)
			}
		}
		if strings.HasPrefix(e.Address, SealPrefix) && len(queued) > 1 {
			queued = queued[:1] // workers report every merge alone
		}
		if e.Tasks = task.Of(queued...); len(queued) > 0 {
			found = append(found, e)
		}
	}
	return found
}

// perfect lets the world be perfect from now on: whatever is sent is done, and
// timers fire. An open process has to complete.
func (w *world) perfect() {
	t := w.t
	for rounds := 0; !w.s.Ended(); rounds++ {
		require.Less(t, rounds, 500, "it does not come to its end: %v", w.s.Steps())
		w.at = w.at.Add(time.Second)
		if w.s.Status == Paused {
			require.True(t, w.tell(ResumeProcess{At: w.at}))
			continue
		}
		if waiting := w.waiting(); len(waiting) > 0 {
			require.True(t, w.tell(w.result(waiting[0])), "what is waiting is accepted")
			continue
		}
		require.NotEmpty(t, w.timers, "it has nothing to do: %v", w.s.Steps())
		w.fireTimers()
	}
	require.Equal(t, Completed, w.s.Status, w.s.Reason())
	for _, p := range w.s.Steps() {
		require.Equal(t, "completed", p.Phase, p.Address)
		require.Equal(t, p.Tasks, p.Confirmed+p.Skipped, p.Address)
	}
	require.Empty(t, Resume(w.s))
}

// fireTimers fires every timer there is; those that nothing waits for any more
// change nothing.
func (w *world) fireTimers() {
	fired := false
	for _, k := range w.planned() {
		fired = w.fire(k) || fired
	}
	require.True(w.t, fired, "no timer leads to anything")
}

func (w *world) fire(k timerKey) bool {
	delete(w.timers, k)
	if due := time.Unix(0, k.due).UTC(); due.After(w.at) {
		w.at = due
	}
	return w.tell(FireTimer{Address: k.address, Generation: k.generation, Attempt: k.attempt.attempt, Tasks: task.Span(k.index, 1), At: w.at})
}

// planned lists the timers in the order in which they are due.
func (w *world) planned() []timerKey {
	return slices.SortedFunc(maps.Keys(w.timers), func(a, b timerKey) int {
		return cmp.Or(cmp.Compare(a.due, b.due), cmp.Compare(fmt.Sprint(a), fmt.Sprint(b)))
	})
}
