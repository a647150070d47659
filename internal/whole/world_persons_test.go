package whole_test

import (
	"encoding/json"
	"fmt"
	"slices"
	"time"

	"github.com/deedrun/deed"
	"github.com/deedrun/deed/orchestrator"
	"github.com/deedrun/deed/orchestrator/definition"
	"github.com/deedrun/deed/orchestrator/process"
	"github.com/deedrun/deed/queue"
	"github.com/deedrun/deed/task"
)

// persons start processes and meddle with them: they cancel, pause, resume,
// retry, restart and revise at the worst moments, and often ask twice.
type persons struct {
	ids   []string
	asked []asked
	busy  bool // they still meddle
}

// asked is a command whose sender waits for the answer.
type asked struct {
	id      string
	command process.Command
	answers queue.Listener
}

var additions = deed.MustParse(`
deed: v1
name: additions
inputs: [numbers]
steps:
  split: {run: split, each: numbers, out: [keyed], retry: {attempts: 50, backoff: 1s..2s}}
  sum:   {run: sum, each: keyed by key into 3, out: [sums], retry: {attempts: 50, backoff: 1s..2s}, parallelism: 2}
  total: {run: total, in: [sums], out: [total], retry: {attempts: 50, backoff: 1s..2s}}
outputs: [total]
`)

// lenient goes on without the numbers that are refused, and is in a hurry.
var lenient = deed.MustParse(`
deed: v1
name: lenient
inputs: [numbers]
deadline: 20m
steps:
  split: {run: split, each: numbers, out: [keyed], tolerate: all, retry: {attempts: 50, backoff: 1s..2s, factor: 3, jitter: 50%}, parallelism: 4}
  sum:   {run: sum, each: keyed by key, out: [sums], retry: {attempts: 50, backoff: 1s..2s}}
  total: {run: total, in: [sums], out: [total], retry: {attempts: 50, backoff: 1s..2s}}
outputs: [total]
`)

func upTo(n int) []int {
	numbers := make([]int, n)
	for i := range numbers {
		numbers[i] = i
	}
	return numbers
}

func (w *world) submit(id string, source *definition.Source, numbers []int) {
	def, faults := definition.Resolve(source, nil, nil, nil)
	if len(faults) > 0 {
		panic(faults)
	}
	w.start(id, def, numbers)
}

func (w *world) start(id string, def definition.Definition, numbers []int) {
	parts := make([]task.Part, len(numbers))
	for i, n := range numbers {
		parts[i] = task.Part{Value: json.RawMessage(fmt.Sprint(n))}
	}
	w.persons.ids = append(w.persons.ids, id)
	w.ask(id, process.StartProcess{ID: id, Definition: def, Inputs: map[string]task.Dataset{"numbers": task.Inline(parts)}})
}

// ask sends a command, often twice.
func (w *world) ask(id string, c process.Command) {
	topic := fmt.Sprintf("reply.%d", len(w.persons.asked))
	body := must(json.Marshal(task.Envelope{Command: must(process.EncodeCommand(c)), ReplyTo: topic}))
	w.persons.asked = append(w.persons.asked, asked{id, c, must(w.signals.Subscribe(topic))})
	for range 1 + w.random.IntN(2) {
		if err := w.inbox.Send(w.ctx, queue.Message{Key: id, Body: body}); err != nil {
			panic(err)
		}
	}
}

// meddle lets a person do something with a process.
func (w *world) meddle() {
	if !w.persons.busy {
		return
	}
	id := w.anyOf(w.persons.ids[w.random.IntN(len(w.persons.ids))])
	asked := process.Asked{By: "ada", Command: fmt.Sprintf("c%d", len(w.persons.asked))}
	c := []func() process.Command{
		func() process.Command { return process.PauseProcess{Asked: asked} },
		func() process.Command { return process.ResumeProcess{Asked: asked} },
		func() process.Command { return process.ResumeProcess{Asked: asked} },
		func() process.Command { return process.CancelProcess{Asked: asked} },
		func() process.Command { return process.RetryTasks{Asked: asked} },
		func() process.Command { return process.RestartFrom{Address: w.anyStep(), Asked: asked} },
		func() process.Command { return w.revision(id, asked) },
	}[w.random.IntN(7)]()
	if c == nil {
		return
	}
	w.say("ada: %s: %s", id, c)
	w.ask(id, c)
}

func (w *world) anyStep() string { return []string{"split", "sum", "total", "each"}[w.random.IntN(4)] }

// revision changes how many tasks of a step may be open.
func (w *world) revision(id string, asked process.Asked) process.Command {
	s, err := orchestrator.Load(w.ctx, w.store, id)
	if err != nil || s.Definition == nil {
		return nil
	}
	step := s.Definition.Steps[w.random.IntN(len(s.Definition.Steps))].Address
	def, err := definition.Set(*s.Definition, step+".parallelism", fmt.Sprint(1+w.random.IntN(4)))
	if err != nil {
		panic(err)
	}
	return process.ReviseProcess{Definition: def, Base: s.Hash, Asked: asked}
}

// calmDown ends the meddling: what was paused or cancelled goes on. First all
// that was asked is answered, also a second time: what was refused when it came
// first is not remembered, and may be granted when it comes again.
func (w *world) calmDown() {
	w.persons.busy = false
	for range 20_000 {
		if w.checkAnswers() == nil && w.received() {
			break
		}
		w.step()
	}
	for _, id := range w.families(w.persons.ids...) {
		w.ask(id, process.ResumeProcess{Asked: process.Asked{Command: "resume-" + id}})
		if w.random.IntN(2) == 0 {
			w.ask(id, process.RetryTasks{Asked: process.Asked{Command: "retry-" + id}})
		}
	}
	w.now = w.now.Add(time.Second)
}

// received reports whether the inbox is empty.
func (w *world) received() bool {
	return !slices.ContainsFunc(w.families(w.persons.ids...), func(id string) bool { return must(w.inbox.Pending(w.ctx, id)) > 0 })
}
