package worker

import (
	"bytes"
	"encoding/json"
	"fmt"
	"math"
	"strconv"
	"unicode/utf8"

	"github.com/deedrun/deed/task"
)

const (
	// valueText bounds the text of a small value before it is brought into form.
	valueText = 16 * task.MaxValue
	// taskValues bounds the small values of one task together, with their keys and
	// names, in bytes: they travel in reports and events.
	taskValues = 32 << 10
)

// valueWriter takes a part of an output that has a declared type: one small JSON
// value, which is checked and brought into form when it is closed.
type valueWriter struct {
	task *Task
	kind string
	text []byte
	part task.Part
}

func (w *valueWriter) Write(p []byte) (int, error) {
	if len(w.text)+len(p) > valueText {
		return 0, tooLarge(w.kind, len(w.text)+len(p))
	}
	w.text = append(w.text, p...)
	return len(p), nil
}

func (w *valueWriter) Close() (err error) {
	if w.part.Value, err = smallValue(w.kind, w.text); err != nil {
		return err
	}
	return w.task.addValue(partBytes(w.part))
}

// Abort forgets what was written.
func (w *valueWriter) Abort() { w.text = nil }

// addValue counts a small value of the task.
func (t *Task) addValue(size int) error {
	t.mu.Lock()
	defer t.mu.Unlock()
	if t.values += size; t.values > taskValues {
		return Permanent(fmt.Errorf("one task writes at most %d KiB of small values together, keys and names included: write many as data, without a json type", taskValues>>10))
	}
	return nil
}

// mayBeValue counts a part whose value is as encoding/json writes it. false: it is
// no such value, or one too many; what is wrong with it Close of an output says.
func (t *Task) mayBeValue(kind string, p task.Part) bool {
	return len(p.Value) <= task.MaxValue && utf8.Valid(p.Value) && kindOf(p.Value) == kind && t.addValue(partBytes(p)) == nil
}

// smallValue is the value that a text holds, in the form in which encoding/json
// writes it, so that it stays the same on its way. What is wrong with it is
// wrong at the next attempt, too.
func smallValue(kind string, text []byte) (json.RawMessage, error) {
	if len(bytes.TrimSpace(text)) == 0 {
		return nil, Permanent(fmt.Errorf("it is empty: the step declares one JSON value, %s", anA(kind)))
	}
	if !utf8.Valid(text) {
		return nil, Permanent(fmt.Errorf("it is not text in UTF-8: the step declares one JSON value, %s", anA(kind)))
	}
	value, err := json.Marshal(json.RawMessage(text))
	if err != nil {
		return nil, Permanent(fmt.Errorf("it is not one JSON value, but the step declares %s: %w", anA(kind), err))
	}
	if is := kindOf(value); is != kind {
		return nil, Permanent(fmt.Errorf("it is %s (%s), but the step declares %s", is, clip(string(value)), anA(kind)))
	}
	if len(value) > task.MaxValue {
		return nil, tooLarge(kind, len(value))
	}
	return value, nil
}

func tooLarge(kind string, size int) error {
	return Permanent(fmt.Errorf("it has %d bytes or more, but %s whose type is declared may have %d: write it as data, without a json type", size, anA(kind), task.MaxValue))
}

// anA is a kind with its article.
func anA(kind string) string {
	if kind == "object" || kind == "array" {
		return "an " + kind
	}
	return "a " + kind
}

// kindOf names the type of a valid JSON value as definitions do.
func kindOf(value []byte) string {
	switch value[0] {
	case '"':
		return "string"
	case '{':
		return "object"
	case '[':
		return "array"
	case 't', 'f':
		return "boolean"
	case 'n':
		return "null"
	}
	if n, err := strconv.ParseFloat(string(value), 64); err != nil || math.IsInf(n, 0) {
		return "a number beyond all that can be computed with"
	}
	return "number"
}
