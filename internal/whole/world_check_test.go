package whole_test

import (
	"context"
	"encoding/json"
	"fmt"
	"slices"
	"strings"

	"github.com/deedrun/deed/orchestrator"
	"github.com/deedrun/deed/orchestrator/process"
	"github.com/deedrun/deed/task"
)

// liveThrough is one world from its beginning to its end, and what is wrong with it.
func liveThrough(ctx context.Context, seed uint64) error {
	w := newWorld(ctx, seed)
	defer w.close()
	return w.live(seed)
}

// live is what happens in a world, from the three processes that are started.
func (w *world) live(seed uint64) error {
	numbers := map[string][]int{"a": upTo(1 + w.random.IntN(30)), "b": upTo(3), "c": upTo(1 + w.random.IntN(12))}
	for i := range numbers["c"] {
		if w.random.IntN(4) == 0 {
			numbers["c"][i] = -1 - i
		}
	}
	w.submit("a", additions, numbers["a"])
	w.submit("b", additions, numbers["b"])
	w.submit("c", lenient, numbers["c"])
	ids := []string{"a", "b", "c"}
	if seed%2 == 0 { // every second world has processes below processes
		ids = append(ids, "d")
		w.start("d", nested(1+int(seed%8)/3), upTo(3))
	}
	if w.persons.busy = seed%3 != 0; w.persons.busy { // every third world is left alone
		for range 1000 + w.random.IntN(4000) {
			w.step()
		}
		w.calmDown()
	}
	if err := w.run(ids...); err != nil {
		return fmt.Errorf("seed %d: %w", seed, err)
	}
	for id, given := range numbers {
		if err := w.check(id, given); err != nil {
			return fmt.Errorf("seed %d: process %s: %w\nits history:\n%s", seed, id, err, strings.Join(w.history(id), "\n"))
		}
	}
	if slices.Contains(ids, "d") {
		if err := w.checkFamily("d", upTo(3)); err != nil {
			return fmt.Errorf("seed %d: process d: %w\nits history:\n%s", seed, err, strings.Join(w.history("d"), "\n"))
		}
	}
	if err := w.checkAnswers(); err != nil {
		return fmt.Errorf("seed %d: %w", seed, err)
	}
	if bad := must(w.bad.Receive(w.ctx, 1, 0)); len(bad) > 0 {
		var q task.Quarantined
		if err := json.Unmarshal(bad[0].Body, &q); err != nil {
			return fmt.Errorf("seed %d: quarantine: %w", seed, err)
		}
		return fmt.Errorf("seed %d: a message from the %s went to quarantine: %s", seed, q.From, q.Reason)
	}
	return nil
}

// run goes on until the processes have ended and nobody waits for an answer.
func (w *world) run(ids ...string) error {
	const most = 60_000
	churn := w.random.IntN(2000)
	for n := range most {
		w.step()
		w.settled = w.settled || n > churn
		if n%50 != 0 {
			continue
		}
		running := ""
		for _, id := range w.families(ids...) {
			s, err := orchestrator.Load(w.ctx, w.store, id)
			if err == nil {
				err = s.Damage()
			}
			if err != nil {
				return fmt.Errorf("process %s: %w", id, err)
			}
			if !s.Ended() {
				running = id
			}
		}
		if running == "" && w.checkAnswers() == nil {
			return nil
		}
	}
	if err := w.checkAnswers(); err != nil {
		return err
	}
	return fmt.Errorf("after %d steps the processes have not ended; the last of them:\n%s", most, strings.Join(w.log[len(w.log)-100:], "\n"))
}

// checkAnswers asks whether every command that a person sent was answered: what
// the inbox took is never lost, and an answer means that it is stored.
func (w *world) checkAnswers() error {
	for _, a := range w.persons.asked {
		if len(a.answers.C()) == 0 {
			return fmt.Errorf("process %s: nobody answered: %s", a.id, a.command)
		}
	}
	return nil
}

// check holds the history of a process against the rules that hold in any world.
func (w *world) check(id string, numbers []int) error {
	state, err := w.checkHistory(id)
	if err != nil {
		return err
	}
	return w.checkEnd(id, state, numbers)
}

func (w *world) checkHistory(id string) (process.State, error) {
	seen := map[string]bool{}
	once := func(format string, args ...any) error {
		what := fmt.Sprintf(format, args...)
		if seen[what] {
			return fmt.Errorf("%s twice", what)
		}
		seen[what] = true
		return nil
	}
	var state process.State
	for _, e := range w.events(id) {
		before := state.Status
		state = process.Evolve(state, e)
		if err := w.checkEvent(e, before, once); err != nil {
			return state, fmt.Errorf("event %d: %w", state.Version, err)
		}
	}
	return state, nil
}

func (w *world) checkEvent(e process.Event, before process.Status, once func(string, ...any) error) error {
	var asked process.Asked
	switch e := e.(type) {
	case process.TasksScheduled:
		if before != process.Running && before != "" {
			return fmt.Errorf("%s, in a process that is %s", e, before)
		}
		for i := range e.Tasks.All() {
			if err := once("attempt %d at %s~%d[%d] is scheduled", e.Attempt, e.Address, e.Generation, i); err != nil {
				return err
			}
		}
	case process.TasksConfirmed:
		for i := range e.Tasks.All() {
			if err := once("%s~%d[%d] is confirmed", e.Address, e.Generation, i); err != nil {
				return err
			}
		}
	case process.StepCompleted:
		return once("%s~%d completes", e.Address, e.Generation)
	case process.ProcessCancelled:
		asked = e.Asked
	case process.ProcessPaused:
		asked = e.Asked
	case process.ProcessResumed:
		asked = e.Asked
	case process.ProcessRetried:
		asked = e.Asked
	case process.ProcessRestarted:
		asked = e.Asked
	case process.ProcessRevised:
		asked = e.Asked
	}
	if asked.Command == "" {
		return nil
	}
	return once("command %s is carried out", asked.Command)
}

func (w *world) checkEnd(id string, state process.State, numbers []int) error {
	switch state.Status {
	case process.Cancelled:
		return nil
	case process.Failed:
		reason := state.Reason()
		if strings.Contains(reason, "lost with its worker") || strings.Contains(reason, "deadline") {
			return nil
		}
		return fmt.Errorf("it failed: %s", reason)
	}
	split := state.Steps()[0]
	want := 0
	for i, n := range numbers {
		skipped := slices.ContainsFunc(split.Skips, func(s process.Skip) bool { return s.Tasks.Contains(i) })
		if !skipped {
			want += n
			if w.executions(id, "split", i) == 0 {
				return fmt.Errorf("split[%d] counts and was never executed", i)
			}
		}
		if skipped != (n < 0) && split.Losses <= process.LossBudget {
			return fmt.Errorf("number %d, skipped: %v", n, skipped)
		}
	}
	return w.checkTotal(state, want)
}

// executions counts them over all generations.
func (w *world) executions(id, step string, index int) int {
	n := 0
	for name, times := range w.ran {
		if strings.HasPrefix(name, id+"/"+step) && strings.HasSuffix(name, fmt.Sprintf("[%d]", index)) {
			n += times
		}
	}
	return n
}

func (w *world) events(id string) []process.Event {
	var all []process.Event
	for e, err := range orchestrator.History(w.ctx, w.store, id) {
		if err != nil {
			panic(err)
		}
		all = append(all, must(process.Decode(process.Stored{Type: e.Type, Schema: e.Schema, Data: e.Data})))
	}
	return all
}

func (w *world) history(id string) []string {
	var lines []string
	for i, e := range w.events(id) {
		lines = append(lines, fmt.Sprintf("%4d %s", i+1, e))
	}
	return lines
}
