package task

import (
	"bytes"
	"encoding/json"
)

// Header is what messages of a step have in common that differ in nothing but
// their tasks: encoded once, it serves for all of them, and decoded once, too.
//
// A message is one JSON object whose first member says which tasks it is about,
// and the header is all that follows. So a worker knows by comparing bytes that
// it has read the same header before.
type Header []byte

// messageStart begins the messages that WithTasks writes.
const messageStart = `{"tasks":"`

// Header is that of the work, whatever its tasks are. The inputs of the work must
// be the same for all of them: see [Work.TaskLists].
func (w Work) Header() (Header, error) {
	w.Tasks = nil
	body, err := json.Marshal(w)
	if err != nil {
		return nil, err
	}
	return Header(body[len(messageStart):]), nil
}

// WithTasks is the message of the header about some tasks.
func (h Header) WithTasks(tasks Ranges) []byte {
	text, _ := tasks.MarshalText() // it cannot fail
	body := make([]byte, 0, len(messageStart)+len(text)+len(h))
	body = append(body, messageStart...)
	body = append(body, text...)
	return append(body, h...)
}

// SplitHeader divides a message into its tasks and its header, which is a part of
// it. ok is false for one that is written otherwise, though it may be as good.
func SplitHeader(body []byte) (tasks Ranges, h Header, ok bool) {
	rest, ok := bytes.CutPrefix(body, []byte(messageStart))
	if !ok {
		return nil, nil, false
	}
	end := bytes.IndexByte(rest, '"')
	if end < 0 || tasks.UnmarshalText(rest[:end]) != nil {
		return nil, nil, false
	}
	return tasks, Header(rest[end:]), true
}

// TaskLists reports whether the message carries what each of its tasks reads, so
// that it differs from task to task.
func (w *Work) TaskLists() bool {
	if w.Seal != nil {
		return true
	}
	for _, in := range w.Inputs {
		if len(in.Keys) > 0 || in.Manifest == nil && in.Mode != Whole {
			return true
		}
	}
	return false
}
