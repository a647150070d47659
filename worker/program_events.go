package worker

import (
	"bufio"
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"math"
	"strings"
	"time"

	"github.com/deedrun/deed/blob"
	"github.com/deedrun/deed/task"
)

// eventBytes is how long a line may be that a program writes to $DEED_EVENTS.
const eventBytes = 64 << 10

// event is one such line. One that is kept alive names the task by ID, as it was
// told; for others there is only one.
type event struct {
	ID       string   `json:"id"`
	Progress *float64 `json:"progress"` // from 0 to 1
	Message  string   `json:"message"`  // with or without Progress: what it is at
	Log      *string  `json:"log"`

	Done       bool    `json:"done"`   // by a program that is kept alive: the outputs are there
	Failed     *string `json:"failed"` // and why
	Permanent  bool    `json:"permanent"`
	RetryAfter float64 `json:"retryAfter"` // seconds
}

// failure is the error of a task that a program told.
func (e *event) failure(name string) error {
	err := fmt.Errorf("%s: %s", name, strings.TrimSpace(*e.Failed))
	switch {
	case e.Permanent:
		return Permanent(err)
	case e.RetryAfter > 0:
		return RetryAfter(time.Duration(min(e.RetryAfter, maxRetryAfter.Seconds())*float64(time.Second)), err)
	}
	return err
}

// events reads what a program says to deed while it executes a task.
type events struct {
	task   *Task
	lines  *bufio.Reader
	failed *event // the last failure that it told
	logged int
	faulty bool // something was not understood: said once
}

func newEvents(t *Task, from io.Reader) *events {
	return &events{task: t, lines: bufio.NewReaderSize(from, 4<<10)}
}

// follow heeds all of it until its end. What it cannot understand harms nothing
// but itself: the exit code says how the program went.
func (e *events) follow() {
	for {
		got, err := e.next()
		if errors.Is(err, errNotAnEvent) {
			e.complain(err)
			continue
		}
		if err != nil {
			return
		}
		if got.Failed != nil {
			e.failed = &got
		}
		e.heed(got)
	}
}

var errNotAnEvent = errors.New("it is no event")

// next reads a line. An error that is errNotAnEvent is about that line only.
func (e *events) next() (event, error) {
	for {
		line, err := e.line()
		if err != nil {
			return event{}, err
		}
		if line = bytes.TrimSpace(line); len(line) == 0 {
			continue
		}
		var got event
		if err := json.Unmarshal(line, &got); err != nil {
			return event{}, fmt.Errorf("%w: %q: %w", errNotAnEvent, clip(string(line)), err)
		}
		return got, nil
	}
}

func (e *events) line() ([]byte, error) {
	var line []byte
	size := 0
	for {
		some, err := e.lines.ReadSlice('\n')
		if size += len(some); size <= eventBytes {
			line = append(line, some...)
		}
		switch {
		case errors.Is(err, bufio.ErrBufferFull):
			continue
		case err != nil && (len(line) == 0 || !errors.Is(err, io.EOF)):
			return nil, err
		case size > eventBytes:
			return nil, fmt.Errorf("%w: a line of %d bytes; at most %d are read", errNotAnEvent, size, eventBytes)
		}
		return line, nil
	}
}

// heed does what an event asks for while the task goes on.
func (e *events) heed(got event) {
	if got.Progress != nil || got.Message != "" {
		e.task.progressed(got.Progress, got.Message)
	}
	if got.Log != nil {
		text := e.task.conceal(strings.TrimRight(*got.Log, "\r\n"))
		if e.logged++; e.logged <= logLines {
			e.task.say(text)
		}
		e.task.record(blob.LogTask, append([]byte(text), '\n'))
	}
}

func (e *events) complain(err error) {
	if e.faulty {
		return
	}
	e.faulty = true
	text := e.task.conceal(fmt.Sprintf("what the program wrote to $DEED_EVENTS is left out where %v; this is said once", err))
	e.task.say(text)
	e.task.record(blob.LogTask, append([]byte(text), '\n'))
}

// progress is how far a task says it is.
type progress struct {
	fraction float64
	message  string
}

// Progress tells how far the task is, from 0 to 1, and what it is at: for people,
// who see the last of it while the task runs. It is no sign of life, and costs
// next to nothing.
func (t *Task) Progress(fraction float64, message string) { t.progressed(&fraction, message) }

// progressed notes what is new; what is not said stays.
func (t *Task) progressed(fraction *float64, message string) {
	var now progress
	if last := t.at.Load(); last != nil {
		now = *last
	}
	if fraction != nil && !math.IsNaN(*fraction) {
		now.fraction = min(max(*fraction, 0), 1)
	}
	if message != "" {
		message = strings.Map(func(r rune) rune {
			if r < ' ' || r == 0x7f {
				return ' '
			}
			return r
		}, t.conceal(message))
		now.message = strings.ToValidUTF8(message[:min(len(message), task.MaxMessage)], "")
	}
	t.at.Store(&now)
}
