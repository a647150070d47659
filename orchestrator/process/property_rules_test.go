package process

import (
	"crypto/sha256"
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

// rules holds what has to be true of every history, and what has to be
// remembered to tell.
type rules struct {
	scheduled map[attempt]bool
	closed    map[string]map[int]string // by address: confirmed or skipped, counted anew
	sealed    map[string]string         // by name, writer and generation
	reads     map[string]string         // by task: what it reads
	kept      []remembered
}

// remembered is a state that others were evolved from, as it was then.
type remembered struct {
	state State
	sum   [sha256.Size]byte
}

func newRules() *rules {
	return &rules{scheduled: map[attempt]bool{}, closed: map[string]map[int]string{}, sealed: map[string]string{}, reads: map[string]string{}}
}

// event checks an event against the state before it.
func (r *rules) event(t *rapid.T, s State, e Event) {
	switch e := e.(type) {
	case StepStarted:
		require.Equal(t, Running, s.Status, "no step starts unless the process runs")
		r.closed[e.Address] = map[int]string{}
	case TasksScheduled:
		require.Equal(t, Running, s.Status, "nothing is scheduled unless the process runs")
		for i := range e.Tasks.All() {
			a := attempt{e.Address, e.Generation, i, e.Attempt}
			require.False(t, r.scheduled[a], "%v is scheduled twice", a)
			r.scheduled[a] = true
		}
		if step, _ := s.Step(e.Address); step.Repeat != nil { // a round takes no room: it follows from the one before
			break
		}
		if most := s.Definition.Parallelism; most > 0 && e.Attempt == 1 && !strings.HasPrefix(e.Address, SealPrefix) {
			require.LessOrEqual(t, r.open(s)+e.Tasks.Len(), most, "no more tasks of the process are open than may be")
		}
	case TasksConfirmed:
		r.close(t, e.Address, e.Tasks, "confirmed")
	case TasksReused:
		r.close(t, e.Address, e.Tasks, "confirmed")
	case StepSkipped:
		require.Equal(t, Running, s.Status, "no step is skipped unless the process runs")
		r.closed[e.Address] = map[int]string{}
	case TasksSkipped:
		r.close(t, e.Address, e.Tasks, "skipped")
		i, n, ok := s.find(e.Address)
		require.True(t, ok)
		step, _ := s.graph.step(i)
		require.LessOrEqual(t, n.skipped+e.Tasks.Len(), step.Tolerate.Of(n.total), "no more is skipped than the step tolerates")
	case StepCompleted:
		_, n, ok := s.find(e.Address)
		require.True(t, ok)
		require.Len(t, r.closed[e.Address], n.total, "%s completes when every task is confirmed or skipped", e.Address)
	case ProcessRetried:
		r.begin(s, e.Steps)
		for _, reopened := range e.Tasks {
			for i := range reopened.Tasks.All() {
				require.NotEqual(t, "confirmed", r.closed[reopened.Address][i], "what is confirmed is not run again")
				delete(r.closed[reopened.Address], i)
			}
		}
	case ProcessRestarted:
		r.begin(s, e.Steps)
	case ProcessRevised:
		r.begin(s, e.Steps)
	}
}

// open counts the tasks of all steps that are scheduled and not done.
func (r *rules) open(s State) int {
	open := 0
	for _, p := range s.Steps() {
		if p.Phase == "running" {
			open += p.Scheduled - p.Confirmed - p.Skipped
		}
	}
	return open
}

func (r *rules) close(t *rapid.T, address string, tasks task.Ranges, how string) {
	for i := range tasks.All() {
		require.Empty(t, r.closed[address][i], "%s[%d] counts once", address, i)
		r.closed[address][i] = how
	}
}

func (r *rules) begin(s State, steps []Begun) {
	for _, b := range steps {
		if !b.Keep {
			delete(r.closed, b.Address)
		}
	}
}

// state checks the state after a command.
func (r *rules) state(t *rapid.T, w *world) {
	r.dataset(t, w.s)
	r.counters(t, w.s)
	is := digest(w.s)
	require.Equal(t, is, digest(w.twin), "folded from what is stored, it is the same")
	r.kept = append(r.kept, remembered{w.s, sha256.Sum256([]byte(is))})
	r.outstanding(t, w)
}

// dataset: a name is written once, and what a step began to read stays.
func (r *rules) dataset(t *rapid.T, s State) {
	for i, step := range s.Definition.Steps {
		n := s.nodes[i]
		for _, out := range step.Out {
			d, ok := s.Data(out.Data)
			require.Equal(t, n.phase == completed, ok, "%s is sealed when %s has completed", out.Data, step.Address)
			if ok {
				r.once(t, r.sealed, fmt.Sprintf("%s of %s~%d", out.Data, step.Address, n.generation), d)
			}
		}
		if n.phase == waiting {
			continue
		}
		for _, name := range step.Reads() {
			d, ok := s.Data(name)
			require.True(t, ok, "%s has started, and %s is not there", step.Address, name)
			r.once(t, r.reads, fmt.Sprintf("%s, as %s~%d reads it", name, step.Address, n.generation), d)
		}
	}
}

func (r *rules) once(t *rapid.T, known map[string]string, what string, v any) {
	is, err := json.Marshal(v)
	require.NoError(t, err)
	if was, ok := known[what]; ok {
		require.Equal(t, was, string(is), "%s has changed", what)
	}
	known[what] = string(is)
}

// message: a task reads the same at each of its attempts.
func (r *rules) message(t *rapid.T, s State, e Enqueue) {
	w, err := Message(s, e, e.Tasks)
	require.NoError(t, err, "what is sent can be executed: %s", e)
	r.once(t, r.reads, fmt.Sprintf("what %s~%d[%s] reads", e.Address, e.Generation, e.Tasks), w.Inputs)
}

// child: the child of a task is the same at each start, and the core takes it.
func (r *rules) child(t *rapid.T, s State, e StartChildren, index int) {
	start, err := Child(s, e, index, nil, s.StartedAt)
	require.NoError(t, err, "what is to be started can be: %s", e)
	r.once(t, r.reads, fmt.Sprintf("what the child of %s~%d[%d] attempt %d reads", e.Address, e.Generation, index, e.Attempt), start.Inputs)
	_, err = Decide(State{}, start)
	require.NoError(t, err, "%s", start)
}

// halted: whoever still executes what is out of date is told to stop, and
// nobody else is.
func (r *rules) halted(t *rapid.T, w *world, e Halt) {
	cancel := task.Cancel{Process: w.s.ID, Before: e.Before}
	for a := range w.queued {
		old := w.s.Ended() || w.s.Generation(a.address) != a.generation
		require.Equal(t, old, cancel.Covers(a.address, a.generation), "%v is told to stop when it is out of date: %s", a, e)
	}
}

// counters: whatever is counted as events come is what a count gives.
func (r *rules) counters(t *rapid.T, s State) {
	left := 0
	for i, n := range s.nodes {
		address := s.graph.address(i)
		stands := map[stand]int{}
		for index, trouble := range n.tasks.troubled() {
			stands[trouble.stand]++
			if s.live() && trouble.stand != skipped {
				require.LessOrEqual(t, trouble.losses, LossBudget, "%s[%d] kills its workers, and goes on", address, index)
			}
		}
		counted := map[string]int{}
		for _, how := range r.closed[address] {
			counted[how]++
		}
		step, isStep := s.graph.step(i)
		if isStep && n.phase != completed {
			left++
		}
		if n.phase == waiting || !isStep && n.phase == completed {
			continue
		}
		require.Equal(t, counted["confirmed"], n.confirmed, "%s: confirmed", address)
		require.Equal(t, counted["skipped"], n.skipped, "%s: skipped", address)
		require.Equal(t, stands[skipped], n.skipped, "%s: stand as skipped", address)
		require.Equal(t, stands[planned], n.retrying, "%s: retrying", address)
		require.Equal(t, n.total-n.closed(), n.tasks.open(task.Span(0, n.total)).Len(), "%s: open", address)
		require.LessOrEqual(t, n.closed(), n.scheduled, "%s: closed", address)
		require.LessOrEqual(t, n.scheduled, n.total, "%s: scheduled", address)
		var without task.Ranges
		for _, skip := range n.skips {
			without = without.Union(skip.Tasks)
		}
		require.Equal(t, n.skipped, without.Len(), "%s: listed as skipped", address)
		if s.live() {
			require.Zero(t, stands[broken], "%s has a task that nothing will ever run: %v", address, n)
		}
		if s.Status != Running || n.phase != running {
			continue
		}
		full := n.scheduled == n.total || step.Parallelism > 0 && n.scheduled-n.closed() >= step.Parallelism
		full = full || isStep && s.Definition.Parallelism > 0 && r.open(s) >= s.Definition.Parallelism
		require.True(t, full, "%s has room for more tasks", address)
	}
	require.Equal(t, left, s.left, "steps that have not completed")
	require.False(t, s.Status == Running && left == 0, "it runs, and nothing is left")
	for i := range s.graph.def.Steps {
		needs := 0
		for j, next := range s.graph.next {
			if slices.Contains(next, i) && s.nodes[j].phase != completed {
				needs++
			}
		}
		require.Equal(t, needs, s.nodes[i].needs, "what %s waits for", s.graph.address(i))
		require.False(t, s.Status == Running && needs == 0 && s.nodes[i].phase == waiting, "%s waits for nothing", s.graph.address(i))
	}
}

// outstanding: what the effects have left on the queue and in the timers is
// exactly what is open, and that is what Resume asks for.
func (r *rules) outstanding(t *rapid.T, w *world) {
	s := w.s
	sent, timed := map[attempt]bool{}, map[timerKey]bool{}
	if s.Status == Running {
		for i, n := range s.nodes {
			if n.phase != running {
				continue
			}
			for index := range n.tasks.open(task.Span(0, n.scheduled)).All() {
				x := n.tasks.trouble(index)
				a := attempt{s.graph.address(i), n.generation, index, x.attempt}
				switch x.stand {
				case underWay:
					sent[a] = true
				case planned:
					timed[timerKey{a, x.due}] = true
				}
			}
		}
	}
	again := newWorld(t)
	again.s = s
	again.rules.reads = r.reads
	again.perform(Resume(s))
	require.Equal(t, sent, again.queued, "what Resume sends is what is open")
	require.Equal(t, timed, again.timers, "the timers that Resume sets are the planned retries")
	if s.Status != Running && s.Status != Completed {
		require.Empty(t, w.queued, "nothing is left on the queue of a process that does not run")
		return
	}
	if s.Status == Completed {
		clear(w.queued)
		return
	}
	maps.DeleteFunc(w.queued, func(a attempt, _ bool) bool { return !sent[a] }) // done, or out of date
	maps.DeleteFunc(w.timers, func(k timerKey, _ bool) bool { return !timed[k] })
	require.Equal(t, sent, w.queued, "what is open has been sent")
	require.Equal(t, timed, w.timers, "planned retries have their timers")
	if due := s.Deadline(); !due.IsZero() {
		require.Equal(t, due, w.deadline.In(time.UTC), "the deadline has its timer")
	}
}

// history checks what is true of a history as a whole: folded in one go, with a
// snapshot anywhere in between, or as it happened, it is the same state; and
// that no state was written to after it was given away.
func (r *rules) history(t *rapid.T, w *world) {
	want := digest(w.s)
	require.Equal(t, want, digest(Fold(State{}, w.history...)), "folded in one go")
	var snapshot State
	every := 1 + len(w.history)/8
	for i, e := range w.history {
		if i%every == 0 {
			require.Equal(t, want, digest(Fold(snapshot, w.history[i:]...)), "folded from a snapshot after %d events", i)
			if i > 0 {
				require.Equal(t, want, digest(Fold(throughASnapshot(t, snapshot), w.history[i:]...)), "folded from a stored snapshot after %d events", i)
			}
		}
		snapshot = Evolve(snapshot, e)
	}
	for i, k := range r.kept {
		require.Equal(t, k.sum, sha256.Sum256([]byte(digest(k.state))), "the state after command %d was written to", i)
	}
}
