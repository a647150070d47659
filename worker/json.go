package worker

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"reflect"

	"github.com/deedrun/deed/task"
)

// maxJSON is how many bytes of JSON a handler of HandleJSON is given.
const maxJSON = 64 << 20

// HandleJSON registers a handler that takes a value and returns one.
//
// In is decoded from the JSON of the element of each; without one, of the only
// input of the step. If that is a list, a slice takes the values of all its
// parts, and any other type the value of its one part. A step that reads
// nothing gives the zero value. Input that is not JSON of that type is a
// permanent failure, as is more than 64 MiB of it.
//
// Out becomes one part of the only output, as by [Task.Emit]; a step without
// output runs for its effect, and Out is dropped. It panics like [Handle].
func HandleJSON[In, Out any](reg *Registry, name string, handler func(ctx context.Context, in In) (Out, error)) {
	if handler == nil {
		Handle(reg, name, nil)
	}
	Handle(reg, name, func(ctx context.Context, t *Task) error {
		if len(t.work.Outputs) > 1 {
			return Permanent(fmt.Errorf("a JSON handler writes one output, the step declares %d: register it with Handle", len(t.work.Outputs)))
		}
		var in In
		if err := t.decodeInput(&in, reflect.TypeFor[In]().Kind() == reflect.Slice); err != nil {
			return err
		}
		out, err := handler(ctx, in)
		if err != nil || len(t.work.Outputs) == 0 {
			return err
		}
		return t.Emit(t.work.Outputs[0].Local, out)
	})
}

// decodeInput decodes the element, or the only input.
func (t *Task) decodeInput(into any, slice bool) error {
	var input *task.Input
	for i := range t.work.Inputs {
		if t.work.Inputs[i].Mode == task.Element {
			input = &t.work.Inputs[i]
			break
		}
	}
	switch {
	case input != nil:
	case len(t.work.Inputs) == 1:
		input = &t.work.Inputs[0]
	case len(t.work.Inputs) == 0:
		return nil
	default:
		return Permanent(fmt.Errorf("a JSON handler reads one input, the step has %d: register it with Handle", len(t.work.Inputs)))
	}
	text, err := t.inputJSON(input, slice && input.Mode != task.Element)
	if err != nil {
		return err
	}
	if err := json.Unmarshal(text, into); err != nil {
		return Permanent(fmt.Errorf("decode input %q: %w", input.Local, err))
	}
	return nil
}

func (t *Task) inputJSON(input *task.Input, list bool) ([]byte, error) {
	if !list {
		part, err := t.single(input.Local)
		if err != nil {
			return nil, err
		}
		return t.partJSON(input.Local, part, maxJSON)
	}
	all := []byte("[")
	for part, err := range t.list(input) {
		if err != nil {
			return nil, err
		}
		text, err := t.partJSON(input.Local, part, maxJSON-int64(len(all)))
		if err != nil {
			return nil, err
		}
		if len(all) > 1 {
			all = append(all, ',')
		}
		all = append(all, bytes.TrimSpace(text)...)
	}
	return append(all, ']'), nil
}

// partJSON reads a part of at most limit bytes.
func (t *Task) partJSON(local string, part task.Part, limit int64) ([]byte, error) {
	if part.Size() > limit {
		return nil, Permanent(fmt.Errorf("read input %q: more than %d MiB of JSON: register the handler with Handle and stream it", local, maxJSON>>20))
	}
	r, err := t.openPart(t.ctx, part)
	if err != nil {
		return nil, fmt.Errorf("read input %q: %w", local, err)
	}
	defer r.Close()
	text, err := io.ReadAll(r)
	if err != nil {
		return nil, fmt.Errorf("read input %q: %w", local, err)
	}
	return text, nil
}
