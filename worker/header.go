package worker

import (
	"bytes"
	"encoding/json"
	"fmt"
	"slices"
	"strings"

	"github.com/deedrun/deed/queue"
	"github.com/deedrun/deed/task"
)

const (
	headersKept = 32       // one a step whose tasks are under way
	headerBytes = 64 << 10 // what is longer is not kept
)

// header is what a message says beside its tasks. Messages whose bytes agree in
// that share one, so it must not be changed; what they read is the same, too.
type header struct {
	work  *task.Work // without Tasks
	quick bool       // its tasks may be executed in runs, if they are short
	lists bool       // what its tasks write is listed in manifests, unless it is little
	pace  average    // of its tasks; Worker.mu guards it
}

// headers decodes messages, and keeps the headers used last: most messages differ
// from the one before in nothing but their tasks. It belongs to whoever receives.
type headers struct {
	kept []keptHeader // the one used last at the end
}

type keptHeader struct {
	text task.Header
	*header
}

// decode reads a message of the work queue. An error means that it makes no
// sense to any worker of this version, so that nobody can be told either.
func (m *headers) decode(body []byte) (*header, task.Ranges, error) {
	tasks, text, split := task.SplitHeader(body)
	if split {
		if h := m.find(text); h != nil {
			return h, tasks, checkTasks(tasks)
		}
	}
	var message struct {
		task.Work

		Tasks saidTasks `json:"tasks"`
	}
	if err := json.Unmarshal(body, &message); err != nil {
		return nil, nil, fmt.Errorf("it is no task: %w", err)
	}
	if err := check(&message.Work); err != nil {
		return nil, nil, err
	}
	h := &header{work: &message.Work, quick: quick(&message.Work), lists: lists(&message.Work)}
	if split && message.Tasks.times == 1 && len(text) <= headerBytes {
		m.keep(text, h)
	}
	return h, message.Tasks.tasks, checkTasks(message.Tasks.tasks)
}

func (m *headers) find(text task.Header) *header {
	for i := len(m.kept) - 1; i >= 0; i-- {
		if k := m.kept[i]; bytes.Equal(k.text, text) {
			if i < len(m.kept)-1 {
				m.kept = append(slices.Delete(m.kept, i, i+1), k)
			}
			return k.header
		}
	}
	return nil
}

// keep remembers a header. The text is part of a message, which is let go.
func (m *headers) keep(text task.Header, h *header) {
	if len(m.kept) >= headersKept {
		m.kept = slices.Delete(m.kept, 0, 1)
	}
	m.kept = append(m.kept, keptHeader{bytes.Clone(text), h})
}

// saidTasks are the tasks of a message. JSON may say them several times, and the
// last one counts: then what comes before a header does not tell them.
type saidTasks struct {
	tasks task.Ranges
	times int
}

func (s *saidTasks) UnmarshalJSON(text []byte) error {
	s.times++
	return json.Unmarshal(text, &s.tasks)
}

func check(work *task.Work) error {
	if err := queue.CheckKey(work.Process); err != nil {
		return fmt.Errorf("its process: %w", err)
	}
	for segment := range strings.SplitSeq(work.Address, "/") {
		if segment == "" || segment == "." || segment == ".." {
			return fmt.Errorf("it is for the address %q: that is none", clip(work.Address))
		}
	}
	switch {
	case work.Attempt < 0 || work.Generation < 0:
		return fmt.Errorf("it is for attempt %d of generation %d", work.Attempt, work.Generation)
	case work.Limits.Memory < 0 || work.Limits.CPUTime < 0 || work.Limits.OpenFiles < 0:
		return fmt.Errorf("it limits a program to less than nothing")
	case work.Needs.CPU < 0 || work.Needs.Memory < 0 || work.Needs.GPU < 0:
		return fmt.Errorf("it needs %s, which is less than nothing", work.Needs)
	}
	return nil
}

func checkTasks(tasks task.Ranges) error {
	if len(tasks) == 0 {
		return fmt.Errorf("it names no tasks")
	}
	return nil
}

// quick reports whether tasks may be executed in runs. Others keep their slot
// busy in ways that nobody else can go on from, or are more than a function.
func quick(work *task.Work) bool {
	switch work.Run.Handler {
	case "", task.SealHandler, task.ChildHandler:
		return false
	}
	return work.Needs.IsZero() && !work.Reusable()
}

// lists reports whether one of the outputs is no small value, which travels inline
// however many there are.
func lists(work *task.Work) bool {
	return slices.ContainsFunc(work.Outputs, func(out task.Output) bool { return out.JSON == "" })
}
