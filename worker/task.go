package worker

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"maps"
	"slices"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"

	"github.com/deedrun/deed/blob"
	"github.com/deedrun/deed/task"
)

// Task is one execution of one task, as its handler sees it: inputs to read,
// outputs to write, parameters. It is safe for concurrent use by goroutines of
// the handler, which must all end before the handler returns.
type Task struct {
	*setting

	ctx     context.Context
	index   int
	ordinal int // which of the tasks of its message this is, from 0
	printed printed

	variables map[string]string    // that the step sets, see findVariables
	mask      atomic.Pointer[mask] // of the secrets among them; nil: there are none, or they are not known yet

	located   atomic.Pointer[task.Part] // see locate; nil: nobody looked
	unlocated atomic.Pointer[error]     // why it could not be
	at        atomic.Pointer[progress]  // how far it says it is; nil: it says nothing

	damage atomic.Pointer[error] // of an input, see noteDamage
	unsure atomic.Int64          // files elsewhere that were opened, and not read to their ends

	decided atomic.Bool // of a run: its handler ended, or was abandoned; whoever says so first notes how it ended
	ended   atomic.Bool // set under mu
	mu      sync.Mutex
	outputs []*Output
	drawn   string // the nonce of this execution, once it needs one
	inlined int    // bytes
	values  int    // bytes of small values whose type is declared
	sealed  *task.Dataset
	looked  map[string]task.Dataset // by deed/child
}

// ID names the task, the same for every attempt at it: the idempotency key for
// what a handler does outside.
func (t *Task) ID() string { return t.work.At(t.index).Task() }

// Process is the ID of the process.
func (t *Task) Process() string { return t.work.Process }

// Address is the step's place in the process, such as "clean/dedupe".
func (t *Task) Address() string { return t.work.Address }

// Index is the task's number within its step, from 0.
func (t *Task) Index() int { return t.index }

// Attempt is 1 the first time.
func (t *Task) Attempt() int { return t.work.Attempt }

// Key is the key of the element, or of the group, that `each` gives to the
// task; empty if there is none, or if the task reads a bucket of many keys.
func (t *Task) Key() string {
	key, _, _ := t.inherit() // an error fails the task
	return key
}

// Params are the parameters of the process, by name. Do not change the map.
func (t *Task) Params() map[string]json.RawMessage { return t.work.Params }

// Param decodes a parameter of the process as JSON into what into points to.
func (t *Task) Param(name string, into any) error {
	value, ok := t.work.Params[name]
	if !ok {
		known := slices.Sorted(maps.Keys(t.work.Params))
		return fmt.Errorf("read parameter: %w", unknownName(name, "the process has", known))
	}
	if err := json.Unmarshal(value, into); err != nil {
		return fmt.Errorf("read parameter %q, which is %s: %w", name, clip(string(value)), err)
	}
	return nil
}

// Logf writes a line to the worker's log, with the name of the task, and to
// the log of this attempt, which is stored: the first 1 MiB and the last 64 KiB
// of it.
func (t *Task) Logf(format string, args ...any) {
	text := t.conceal(strings.TrimSuffix(fmt.Sprintf(format, args...), "\n"))
	t.say(text)
	t.record(blob.LogTask, append([]byte(text), '\n'))
}

// say writes a line to the worker's log only.
func (t *Task) say(text string) {
	if t.log.Enabled(t.ctx, slog.LevelInfo) {
		t.log.InfoContext(t.ctx, text, t.inLog()...)
	}
}

// errEnded answers a handler that goes on after its task ended.
var errEnded = errors.New("the task has ended")

// blobKey is the key of blob n of this execution.
func (t *Task) blobKey(n string) string {
	return fmt.Sprintf("%s/%s/%d/%d/%d-%s/%s", t.work.Process, t.work.Address, t.work.Generation, t.index, t.work.Attempt, t.execution(), n)
}

// execution is the nonce that keeps executions apart. It is drawn with the
// first blob, or the first line that is printed.
func (t *Task) execution() string {
	t.mu.Lock()
	defer t.mu.Unlock()
	if t.drawn == "" {
		t.drawn = t.nonce()
	}
	return t.drawn
}

// finish ends the task: later writes fail. It returns what was produced, in
// the order of creation, in memory that may be used again. Outputs still open are
// discarded, and an error if the handler itself had none.
func (t *Task) finish(err error, memory []task.Produced) ([]task.Produced, error) {
	t.mu.Lock()
	t.ended.Store(true)
	outputs := t.outputs
	t.outputs = nil
	t.mu.Unlock()
	produced := slices.Grow(memory[:0], len(outputs))
	for i, o := range outputs {
		part, closeErr := o.end()
		if err == nil && closeErr != nil {
			err = fmt.Errorf("output %q, part %d of the task: %w", o.local, i, closeErr)
		}
		produced = append(produced, task.Produced{Index: t.index, Data: o.data, Part: part})
	}
	if err != nil {
		return nil, err
	}
	return produced, nil
}

// maxParts bounds what one task may produce: the list is in memory.
const maxParts = 1 << 20

// enlist adds an output, or says why it is too late or too much.
func (t *Task) enlist(o *Output) (n string, err error) {
	t.mu.Lock()
	defer t.mu.Unlock()
	switch {
	case t.ended.Load():
		return "", errEnded
	case len(t.outputs) == maxParts:
		return "", fmt.Errorf("one task writes at most %d parts: let more tasks share the work", maxParts)
	}
	t.outputs = append(t.outputs, o)
	return strconv.Itoa(len(t.outputs) - 1), nil
}
