package process

import (
	"encoding/json"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"

	"github.com/deedrun/deed/orchestrator/definition"
	"github.com/deedrun/deed/task"
)

// randomDefinition is an acyclic graph: each step reads some names written
// before it, one task or many.
func randomDefinition(t *rapid.T) definition.Definition {
	def := definition.Definition{Name: "random", Inputs: []string{"in"}}
	names := []string{"in"}
	for i := range rapid.IntRange(1, 6).Draw(t, "steps") {
		s := definition.Step{
			Address: fmt.Sprintf("s%d", i), Run: task.Run{Handler: "any"},
			Retry:       definition.Retry{Attempts: 100, Backoff: definition.Backoff{Min: 1e9, Max: 4e9}},
			Parallelism: rapid.SampledFrom([]int{0, 1, 3}).Draw(t, "parallelism"),
		}
		pick := func(what string) definition.Binding {
			n := rapid.SampledFrom(names).Draw(t, what)
			return definition.Binding{Local: n, Data: n}
		}
		switch rapid.IntRange(0, 3).Draw(t, "shape") {
		case 0:
			s.Each = &definition.Each{Binding: pick("each")}
		case 1:
			s.Each = &definition.Each{Binding: pick("each"), ByKey: true}
		case 2:
			s.Each = &definition.Each{Binding: pick("each"), ByKey: true, Into: rapid.IntRange(1, 4).Draw(t, "into")}
		}
		if rapid.Bool().Draw(t, "reads") {
			s.In = []definition.Binding{pick("in")}
		}
		if i > 0 && rapid.Bool().Draw(t, "after") {
			s.After = []string{fmt.Sprintf("s%d", rapid.IntRange(0, i-1).Draw(t, "follows"))}
		}
		out := fmt.Sprintf("d%d", i)
		s.Out = []definition.Binding{{Local: out, Data: out}}
		names = append(names, out)
		def.Steps = append(def.Steps, s)
	}
	return def
}

// bag is the world between the core and the workers: everything in it may
// come late, twice, in any order, or be lost with a worker.
type bag struct {
	sent   []Enqueue // one task each
	timers []SetTimer
}

func (b *bag) take(effects []Effect) {
	for _, e := range effects {
		switch e := e.(type) {
		case Enqueue:
			for i := range e.Tasks.All() {
				e.Tasks = task.Span(i, 1)
				b.sent = append(b.sent, e)
			}
		case SetTimer:
			b.timers = append(b.timers, e)
		}
	}
}

// result is what a worker would write for this attempt: one or two keyed
// parts, inline or in a manifest.
func result(t *rapid.T, s State, e Enqueue, at time.Time) ConfirmTasks {
	c := ConfirmTasks{Address: e.Address, Generation: e.Generation, Attempt: e.Attempt, Tasks: e.Tasks, Worker: "w", At: at}
	w, err := Message(s, e, e.Tasks)
	if err != nil { // the step is over: a zombie reports all the same
		return c
	}
	if w.Seal != nil {
		d := task.Dataset{Count: len(w.Seal.Sources), Keys: min(1, len(w.Seal.Sources)), Manifest: &task.Manifest{Ref: task.Ref{Key: "m"}}}
		c.Sealed = &d
		return c
	}
	if rapid.IntRange(0, 3).Draw(t, "form") == 0 {
		c.Manifest = &task.Ref{Key: "report", Size: 1, SHA256: "00"}
		return c
	}
	for n := range rapid.IntRange(0, 2).Draw(t, "parts") {
		c.Parts = append(c.Parts, task.Produced{
			Index: e.Tasks[0].First, Data: w.Outputs[0].Data,
			Part: task.Part{Key: fmt.Sprintf("k%d", n), Value: json.RawMessage(`1`)},
		})
	}
	return c
}

func TestWhateverIsDuplicatedDelayedReorderedLostOrFailedEachTaskIsConfirmedOnceAndEachStepCompletesWhenAllItsTasksAre(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		def := randomDefinition(t)
		var s State
		var history []Event
		var b bag
		at := start
		confirmed := map[string]map[int]bool{}
		total := map[string]int{}
		step := func(c Command) {
			events, err := Decide(s, c)
			require.NoError(t, err, "%s", c)
			for _, e := range events {
				check(t, e, confirmed, total)
				s = Evolve(s, e)
				require.NoError(t, s.Damage())
				b.take(React(s, e))
			}
			history = append(history, events...)
		}
		step(StartProcess{ID: "p", Definition: def, Inputs: map[string]task.Dataset{"in": listOf(rapid.IntRange(0, 9).Draw(t, "inputs"))}, At: at})
		for n := 0; s.Status == Running; n++ {
			require.Less(t, n, 5000, "the process does not come to its end")
			at = at.Add(time.Second)
			if len(b.sent) == 0 && len(b.timers) == 0 {
				b.take(Resume(s)) // the queue lost its tail
				require.NotZero(t, len(b.sent)+len(b.timers), "a running process has nothing to do: %v", s.Steps())
			}
			if len(b.timers) > 0 && (len(b.sent) == 0 || rapid.IntRange(0, 3).Draw(t, "timer") == 0) {
				i := rapid.IntRange(0, len(b.timers)-1).Draw(t, "which timer")
				x := b.timers[i]
				b.timers = append(b.timers[:i:i], b.timers[i+1:]...)
				step(FireTimer{Address: x.Address, Generation: x.Generation, Attempt: x.Attempt, Tasks: x.Tasks, At: at})
				continue
			}
			i := rapid.IntRange(0, len(b.sent)-1).Draw(t, "which task")
			e := b.sent[i]
			what := rapid.SampledFrom([]string{"done", "done", "done", "done", "twice", "failed", "lost", "timeout", "vanished", "crash"}).Draw(t, "what")
			if n > 1000 {
				what = "done" // let it end
			}
			if what != "twice" {
				b.sent = append(b.sent[:i:i], b.sent[i+1:]...)
			}
			switch what {
			case "done", "twice":
				step(result(t, s, e, at))
			case "failed":
				if isMerge(e) {
					break
				}
				step(FailTasks{Address: e.Address, Generation: e.Generation, Attempt: e.Attempt, Tasks: e.Tasks, Error: "x", Verdict: task.Retry, At: at})
			case "lost":
				if e.Attempt <= LossBudget && !isMerge(e) {
					step(LoseTasks{Address: e.Address, Generation: e.Generation, Attempt: e.Attempt, Tasks: e.Tasks, At: at})
				}
			case "timeout":
				if !isMerge(e) {
					step(TryTimeoutTask{Address: e.Address, Generation: e.Generation, Attempt: e.Attempt, Index: e.Tasks[0].First, At: at})
				}
			case "crash": // of the orchestrator: it folds what is stored and resumes
				s, b = Fold(State{}, history...), bag{}
				b.take(Resume(s))
			}
		}
		if s.Status == Completed {
			for _, p := range s.Steps() {
				require.Equal(t, p.Tasks, p.Confirmed, p.Address)
				require.Equal(t, "completed", p.Phase)
			}
			require.Empty(t, Resume(s))
		}
		require.Equal(t, fmt.Sprint(Fold(State{}, history...).Steps()), fmt.Sprint(s.Steps()), "folded in one go = folded as it went")
	})
}

// check is the invariant on each event as it is decided.
func check(t *rapid.T, e Event, confirmed map[string]map[int]bool, total map[string]int) {
	switch e := e.(type) {
	case StepStarted:
		require.NotContains(t, total, e.Address, "a step starts once")
		total[e.Address], confirmed[e.Address] = e.Tasks, map[int]bool{}
	case TasksConfirmed:
		for i := range e.Tasks.All() {
			require.False(t, confirmed[e.Address][i], "%s[%d] is confirmed twice", e.Address, i)
			confirmed[e.Address][i] = true
		}
	case StepCompleted:
		require.Len(t, confirmed[e.Address], total[e.Address], "%s completes when all its tasks are confirmed", e.Address)
	}
}

// isMerge: the retry policy of merges is built in, and shorter than that of the
// random steps.
func isMerge(e Enqueue) bool { return strings.HasPrefix(e.Address, SealPrefix) }
