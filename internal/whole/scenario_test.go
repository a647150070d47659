package whole_test

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/deedrun/deed"
	"github.com/deedrun/deed/examples/wordcount/words"
	"github.com/deedrun/deed/orchestrator"
	"github.com/deedrun/deed/orchestrator/definition"
	"github.com/deedrun/deed/orchestrator/process"
	"github.com/deedrun/deed/task"
	"github.com/deedrun/deed/worker"
)

// A scenario is a process from its beginning to its end, and who meddles with
// it. Nothing in it is left to chance, so its history is one and the same
// wherever it is stored.
type scenario struct {
	name   string
	source *definition.Source
	given  map[string]task.Dataset
	acts   []act
	ends   process.Status
	wrote  map[string]string // by output: its text
	tells  string            // stands in its history
}

// act is what a person does once the process is so far.
type act struct {
	when func(process.State) bool
	does process.Command
}

func after(tasks int) func(process.State) bool {
	return func(s process.State) bool { return s.Steps()[0].Confirmed >= tasks }
}

func is(status process.Status) func(process.State) bool {
	return func(s process.State) bool { return s.Status == status }
}

func by(command string) process.Asked {
	return process.Asked{By: "ada", Reason: "a scenario", Command: command}
}

func scenarios() []scenario {
	wordCount, err := deed.ParseFile("../../examples/wordcount/process.yaml")
	if err != nil {
		panic(err)
	}
	simple := func(settings string) *definition.Source {
		return deed.MustParse(fmt.Sprintf(`
deed: v1
name: simple
inputs: [numbers]
steps:
  take: {run: take, each: numbers, out: [taken]%s}
  add:  {run: add, in: {numbers: taken}, out: {sum: total}}
outputs: [total]
`, settings))
	}
	diamond := deed.MustParse(`
deed: v1
name: diamond
inputs: [numbers]
steps:
  take:  {run: take, each: numbers, out: [taken]}
  left:  {run: add, in: {numbers: taken}, out: {sum: one}}
  right: {run: take, each: {numbers: taken}, out: {taken: many}}
  join:  {run: add, in: {numbers: many}, out: {sum: two}, after: [left]}
outputs: [one, two]
`)
	wide := deed.MustParse(`
deed: v1
name: wide
inputs: [numbers]
steps:
  take: {run: take, each: numbers, out: [taken]}
  add:  {run: add, each: {one: numbers}, in: {numbers: taken}, out: {sum: sums}}
outputs: [sums]
`)
	total := func(n int) map[string]string { return map[string]string{"total": fmt.Sprint(n)} }
	return []scenario{
		{name: "words are counted", source: wordCount, given: texts("the deed is done", "the deed, the DEED"), ends: process.Completed},
		{name: "a task fails for good", source: simple(""), given: numbers(1, refused, 3), ends: process.Failed},
		{
			name: "tasks succeed at a later attempt", source: simple(", retry: {attempts: 3, backoff: 1s..4s, jitter: 50%}"),
			given: numbers(1, 1000, 2, 1001), ends: process.Completed, wrote: total(2004),
		},
		{
			name: "it goes on without what was refused", source: simple(", tolerate: 1, parallelism: 2"),
			given: numbers(1, 2, refused, 4), ends: process.Completed, wrote: total(7),
		},
		{
			name: "somebody cancels it, goes on, and restarts it when it is done", source: simple(", parallelism: 3"),
			given: numbers(1, 2, 3, 4, 5, 6, 7, 8, 9), ends: process.Completed, wrote: total(45),
			acts: []act{
				{after(2), process.CancelProcess{Asked: by("c1")}},
				{is(process.Cancelled), process.RetryTasks{Asked: by("c2")}},
				{is(process.Completed), process.RestartFrom{Address: "take", Asked: by("c3")}},
			},
		},
		{
			name: "somebody pauses and resumes it", source: simple(", parallelism: 1"),
			given: numbers(1, 2, 3, 4, 5), ends: process.Completed, wrote: total(15),
			acts: []act{
				{after(2), process.PauseProcess{Asked: by("c1")}},
				{is(process.Paused), process.ResumeProcess{Asked: by("c2")}},
			},
		},
		{
			name: "two steps read what one wrote, and one reads both", source: diamond,
			given: numbers(1, 2, 3), ends: process.Completed, wrote: map[string]string{"one": "6", "two": "6"},
		},
		{
			name: "a list is so long that a worker seals it", source: wide,
			given: numbers(upTo(30)...), ends: process.Completed, tells: `"address":"deed/seal/taken"`,
		},
	}
}

// refused is a number that is refused for good; those from 1000 on fail once.
const refused = -1

func numbers(list ...int) map[string]task.Dataset {
	parts := make([]task.Part, len(list))
	for i, n := range list {
		parts[i] = task.Part{Value: fmt.Append(nil, n)}
	}
	return map[string]task.Dataset{"numbers": task.Inline(parts)}
}

func texts(list ...string) map[string]task.Dataset {
	parts := make([]task.Part, len(list))
	for i, text := range list {
		parts[i] = task.Part{Name: fmt.Sprintf("%d.txt", i), Value: fmt.Appendf(nil, "%q", text)}
	}
	return map[string]task.Dataset{"corpus": task.Inline(parts)}
}

// takers are the handlers of scenarios.
func takers() *worker.Registry {
	reg := worker.NewRegistry()
	words.Register(reg)
	worker.Handle(reg, "take", func(_ context.Context, t *worker.Task) error {
		n, err := sum(t, "numbers")
		switch {
		case err != nil:
			return err
		case n == refused:
			return worker.Permanent(errors.New("no number for me"))
		case n >= 1000 && t.Attempt() == 1:
			return errors.New("not at once")
		}
		return writeNumber(t, "taken", "", n)
	})
	worker.Handle(reg, "add", func(_ context.Context, t *worker.Task) error {
		n, err := sum(t, "numbers")
		if err != nil {
			return err
		}
		return writeNumber(t, "sum", "", n)
	})
	return reg
}

func TestAProcessHasTheSameHistoryWhereverItsEventsAre(t *testing.T) {
	t.Parallel()
	stores := eventStores(t)
	for _, sc := range scenarios() {
		t.Run(sc.name, func(t *testing.T) {
			t.Parallel()
			var first played
			for i, store := range stores {
				p := sc.play(t, store)
				if i == 0 {
					first = p
					require.Greater(t, len(p.commits), 2)
					continue
				}
				require.Equal(t, first.commits, p.commits, "its history in %s is not the one in %s", store.name, stores[0].name)
				require.Equal(t, first.list, p.list, store.name)
			}
		})
	}
}

// played is what is left of a scenario.
type played struct {
	commits []string
	list    []orchestrator.Summary
}

func (sc scenario) play(t *testing.T, store storage) played {
	w := newWorldOver(t.Context(), 1, store.open(t))
	w.calm, w.offers = true, takers
	w.people()
	defer w.close()
	def, faults := definition.Resolve(sc.source, nil, nil, nil)
	require.Empty(t, faults)
	w.ask("p", process.StartProcess{ID: "p", Definition: def, Inputs: sc.given})
	for _, a := range sc.acts {
		w.until(t, a.when)
		w.ask("p", a.does)
		w.round(t)
	}
	state := w.until(t, process.State.Ended)
	require.Equal(t, sc.ends, state.Status, state.Reason())
	for name, text := range sc.wrote {
		data, _ := state.Data(name)
		require.Len(t, data.Parts, 1)
		require.Equal(t, text, w.text(t, data.Parts[0]), name)
	}
	require.Contains(t, strings.Join(w.commits("p"), "\n"), sc.tells)
	require.NoError(t, w.checkAnswers())
	unfinished, err := orchestrator.Unfinished(w.ctx, w.store)
	require.NoError(t, err)
	require.Empty(t, unfinished)
	list, err := (&orchestrator.Views{Events: w.store, Blobs: w.blobs}).Processes(w.ctx, w.now)
	require.NoError(t, err)
	return played{commits: w.commits("p"), list: list}
}

// round lets everybody do one thing, and a moment pass.
func (w *world) round(t *testing.T) {
	_, err := w.owners[0].Step(w.ctx, w.now)
	require.NoError(t, err)
	for _, a := range w.workers {
		_, err := a.Step(w.ctx, w.now)
		require.NoError(t, err)
	}
	w.now = w.now.Add(50 * time.Millisecond)
}

func (w *world) until(t *testing.T, reached func(process.State) bool) process.State {
	t.Helper()
	var s process.State
	for range 4000 {
		for e, err := range w.store.Read(w.ctx, "process-p", s.Version) {
			require.NoError(t, err)
			s = process.Evolve(s, must(process.Decode(process.Stored{Type: e.Type, Schema: e.Schema, Data: e.Data})))
		}
		if s.Version > 0 && reached(s) {
			return s
		}
		w.round(t)
	}
	require.FailNow(t, "it does not come so far", strings.Join(w.history("p"), "\n"))
	return process.State{}
}
