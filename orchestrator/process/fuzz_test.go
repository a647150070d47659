package process

import (
	"bytes"
	"encoding/json"
	"os"
	"path/filepath"
	"reflect"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/deedrun/deed/orchestrator/definition"
	"github.com/deedrun/deed/task"
)

// standing are states to try things on: where the recorded histories end, and
// what they were halfway.
func standing(f *testing.F) []State {
	var states []State
	for _, name := range recordedNames(f) {
		events := readHistory(f, name)
		half := Fold(State{}, events[:len(events)/2]...)
		states = append(states, half, Fold(half, events[len(events)/2:]...))
	}
	return states
}

// handle does with a state all that the shell does with one that it has loaded.
func handle(s State) {
	for _, effect := range Resume(s) {
		_ = effect.String()
		if send, ok := effect.(Enqueue); ok && send.Tasks.Len() < 1000 {
			_, _ = Message(s, send, send.Tasks)
		}
	}
	_, _, _ = s.Steps(), s.Reason(), s.Deadline()
	for _, c := range []Command{
		ResumeProcess{At: start},
		RetryTasks{At: start},
		RestartFrom{Address: "count", At: start},
		FireDeadline{At: start},
		CancelProcess{At: start},
		ConfirmTasks{Address: "count", Attempt: 1, Tasks: task.Of(0), At: start},
		FailTasks{Address: "work", Attempt: 1, Tasks: task.Of(0), Verdict: task.Permanent, At: start},
		LoseTasks{Address: SealPrefix + "partial", Attempt: 1, Tasks: task.Of(0), At: start},
	} {
		_, _ = Decide(s, c)
	}
}

// FuzzAnyEventAnywhere folds one event, twice, where it may make no sense.
func FuzzAnyEventAnywhere(f *testing.F) {
	for _, name := range recordedNames(f) {
		for _, e := range readHistory(f, name) {
			s, err := Encode(e)
			require.NoError(f, err)
			f.Add(s.Type, s.Schema, s.Data)
		}
	}
	states := append(standing(f), State{})
	f.Fuzz(func(t *testing.T, name string, schema int, data []byte) {
		e, err := Decode(Stored{Type: name, Schema: schema, Data: data})
		if err != nil {
			return
		}
		require.Equal(t, name, current.byType[reflect.TypeOf(e)].name)
		_ = e.String()
		for _, s := range states {
			s = Evolve(s, e)
			_ = React(s, e)
			handle(s)
			handle(Evolve(s, e))
		}
	})
}

// FuzzAnyHistory folds histories that nobody wrote.
func FuzzAnyHistory(f *testing.F) {
	for _, name := range recordedNames(f) {
		data, err := os.ReadFile(filepath.Join(histories, name+".jsonl"))
		require.NoError(f, err)
		if len(data) < 10_000 { // long ones are mutated slowly
			f.Add(data)
		}
	}
	f.Fuzz(func(_ *testing.T, data []byte) {
		var s State
		for line := range bytes.Lines(data) {
			var l storedLine
			if json.Unmarshal(line, &l) != nil {
				continue
			}
			e, err := Decode(Stored{Type: l.Type, Schema: l.Schema, Data: l.Data})
			if started, ok := e.(StepStarted); err != nil || ok && started.Tasks > 100_000 { // sound, and too slow to try
				continue
			}
			s = Evolve(s, e)
			_ = React(s, e)
		}
		handle(s)
	})
}

// FuzzDecodeCommand reads commands from the wire. One that can be read and is
// granted leads to a sound history.
func FuzzDecodeCommand(f *testing.F) {
	asked := Asked{By: "ada", Reason: "so", Command: "c1"}
	revised := words()
	revised.Version, revised.Steps = "2", revised.Steps[:2]
	revised.Outputs, revised.Steps[0].Tolerate = nil, definition.Tolerance{Percent: 1}
	for _, c := range []Command{
		StartProcess{ID: "p", Definition: words(), Inputs: map[string]task.Dataset{"in": listOf(3)}},
		CancelProcess{Asked: asked},
		PauseProcess{Asked: asked},
		ResumeProcess{Asked: asked},
		RetryTasks{Asked: asked},
		RetryTasks{Address: "count", Tasks: task.Of(2, 5), Asked: asked},
		RestartFrom{Address: "both", Asked: asked},
		ReviseProcess{Definition: revised, Asked: asked},
		ReviseProcess{Definition: diamond(), Base: "x", Asked: asked},
	} {
		data, err := EncodeCommand(c)
		require.NoError(f, err)
		f.Add(data)
	}
	for _, name := range recordedNames(f) { // those of children, of joins, with conditions
		if started, ok := readHistory(f, name)[0].(ProcessStarted); ok && schemaOf(started.Definition) == definitionSchema {
			data, err := EncodeCommand(StartProcess{ID: "p", Definition: started.Definition, Inputs: started.Inputs})
			require.NoError(f, err)
			f.Add(data)
		}
	}
	f.Add([]byte(`{"type":"retry-tasks","data":null}`))
	f.Add([]byte(`{"type":"confirm-tasks","data":{}}`))
	states := append(standing(f), State{})
	f.Fuzz(func(t *testing.T, data []byte) {
		c, err := DecodeCommand(data, start)
		if err != nil {
			return
		}
		_ = c.String()
		again, err := EncodeCommand(c)
		require.NoError(t, err)
		same, err := DecodeCommand(again, start)
		require.NoError(t, err)
		require.Equal(t, digest(c), digest(same))
		for _, s := range states {
			events, err := Decide(s, c)
			if err != nil {
				continue
			}
			after := Fold(s, events...)
			require.NoError(t, after.Damage(), "%s", c)
			handle(after)
		}
	})
}
