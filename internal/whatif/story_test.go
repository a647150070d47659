package whatif_test

import (
	"encoding/json"
	"fmt"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/deedrun/deed/internal/whatif"
	"github.com/deedrun/deed/orchestrator/definition"
	"github.com/deedrun/deed/orchestrator/process"
	"github.com/deedrun/deed/task"
)

var noon = time.Date(2026, 1, 1, 12, 0, 0, 0, time.UTC)

// story is a history being recorded: commands are decided on by the real core.
type story struct {
	t       testing.TB
	state   process.State
	history []process.Event
}

// begin starts a process over n photos.
func begin(t testing.TB, def definition.Definition, n int) *story {
	parts := make([]task.Part, n)
	for i := range parts {
		parts[i] = task.Part{Name: fmt.Sprintf("%d.jpg", i), Value: json.RawMessage(fmt.Sprint(i))}
	}
	s := &story{t: t}
	s.tell(process.StartProcess{ID: "p", Definition: def, Inputs: map[string]task.Dataset{"photos": task.Inline(parts)}, At: noon})
	return s
}

func (s *story) tell(c process.Command) {
	s.t.Helper()
	events, err := process.Decide(s.state, c)
	require.NoError(s.t, err, "%s", c)
	s.state = process.Fold(s.state, events...)
	require.NoError(s.t, s.state.Damage())
	for _, e := range events { // as it would come from the store
		stored, err := process.Encode(e)
		require.NoError(s.t, err)
		read, err := process.Decode(stored)
		require.NoError(s.t, err)
		s.history = append(s.history, read)
	}
}

func after(seconds float64) time.Time { return noon.Add(time.Duration(seconds * float64(time.Second))) }

func (s *story) done(seconds float64, address string, attempt int, indexes ...int) {
	s.t.Helper()
	if s.step(address).Process != nil {
		for _, i := range indexes {
			s.tell(process.ConfirmTasks{
				Address: address, Attempt: attempt, Tasks: task.Of(i), Elapsed: task.Duration(time.Second), At: after(seconds),
				Lists: map[string]task.Dataset{s.step(address).Out[0].Local: task.Inline([]task.Part{{Value: json.RawMessage("1")}})},
			})
		}
		return
	}
	c := process.ConfirmTasks{Address: address, Attempt: attempt, Tasks: task.Of(indexes...), Elapsed: task.Duration(len(indexes)) * task.Duration(time.Second), At: after(seconds)}
	for _, i := range indexes {
		for _, out := range s.step(address).Out {
			c.Parts = append(c.Parts, task.Produced{Index: i, Data: out.Data, Part: task.Part{Value: json.RawMessage(fmt.Sprint(i))}})
		}
	}
	s.tell(c)
}

func (s *story) step(address string) definition.Step {
	step, ok := s.state.Definition.Step(address)
	require.True(s.t, ok, address)
	return step
}

func (s *story) failed(seconds float64, address string, attempt, index int) {
	s.t.Helper()
	s.tell(process.FailTasks{Address: address, Attempt: attempt, Tasks: task.Span(index, 1), Error: "not a photo", Verdict: task.Retry, At: after(seconds)})
}

func (s *story) retried(seconds float64, address string, attempt, index int) {
	s.t.Helper()
	s.tell(process.FireTimer{Address: address, Attempt: attempt, Tasks: task.Span(index, 1), At: after(seconds)})
}

// replay tells the history under settings, written as people write them.
func (s *story) replay(settings ...string) whatif.Report {
	s.t.Helper()
	return s.under(func(d definition.Definition) (definition.Definition, error) {
		var err error
		for i := 0; i < len(settings) && err == nil; i += 2 {
			d, err = definition.Set(d, settings[i], settings[i+1])
		}
		return d, err
	})
}

func (s *story) under(change whatif.Change) whatif.Report {
	s.t.Helper()
	report, err := replayed(s.history, change)
	require.NoError(s.t, err)
	return report
}

func replayed(history []process.Event, change whatif.Change) (whatif.Report, error) {
	r := whatif.New(change)
	for _, e := range history {
		if err := r.Next(e); err != nil {
			return whatif.Report{}, err
		}
	}
	return r.Report()
}

func names(words ...string) []definition.Binding {
	var all []definition.Binding
	for _, w := range words {
		all = append(all, definition.Binding{Local: w, Data: w})
	}
	return all
}

// album shrinks photos, each three times at most, and then binds them.
func album() definition.Definition {
	retry := definition.Retry{Attempts: 3, Backoff: definition.Backoff{Min: task.Duration(time.Second), Max: task.Duration(time.Minute)}}
	return definition.Definition{
		Name: "album", Inputs: []string{"photos"}, Outputs: []string{"book"},
		Steps: []definition.Step{
			{
				Address: "shrink", Run: task.Run{Handler: "photo/shrink"}, Each: &definition.Each{Binding: names("photos")[0]}, Out: definition.Outputs(names("small")...),
				Retry: retry, Timeout: task.Duration(time.Minute),
			},
			{Address: "bind", Run: task.Run{Handler: "photo/bind"}, In: names("small"), Out: definition.Outputs(names("book")...), Retry: retry},
		},
	}
}

// tasks are texts of tasks, as a report prints them.
func tasks(all []whatif.Tasks) []string {
	var lines []string
	for _, t := range all {
		lines = append(lines, t.String())
	}
	return lines
}
