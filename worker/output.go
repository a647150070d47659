package worker

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"strings"
	"sync"
	"unicode/utf8"

	"github.com/deedrun/deed/blob"
	"github.com/deedrun/deed/task"
)

// Output writes one part. The handler must close it and check the error: a
// part left open fails the task. Of an output with a declared type it is the
// text of one JSON value, which Close checks. Not safe for concurrent use.
type Output struct {
	task  *Task
	local string
	data  string
	kind  string // of the small value that a part has to be; "": it is any data
	part  task.Part

	mu     sync.Mutex
	sink   sink // nil once it is finished, and for an inline value
	closed bool
	err    error
}

// sink takes the bytes of a part: a blob, or a small value of a declared type.
type sink interface {
	io.WriteCloser
	Abort()
}

// Create starts a part of an output. The part inherits key and file name from
// the element of each. The order of parts is that of their creation.
func (t *Task) Create(local string) (*Output, error) {
	key, name, err := t.inherit()
	if err != nil {
		return nil, fmt.Errorf("create output %q: %w", local, err)
	}
	return t.create(local, key, name)
}

// CreateKeyed is Create with a key of the part's own.
func (t *Task) CreateKeyed(local, key string) (*Output, error) {
	_, name, err := t.inherit()
	if err != nil {
		return nil, fmt.Errorf("create output %q: %w", local, err)
	}
	return t.create(local, key, name)
}

// CreateNamed is Create with a key and a file name of the part's own.
func (t *Task) CreateNamed(local, key, name string) (*Output, error) {
	return t.create(local, key, name)
}

func (t *Task) create(local, key, name string) (*Output, error) {
	o, err := t.declare(local, key, name)
	if err != nil {
		return nil, fmt.Errorf("create output: %w", err)
	}
	n, err := t.enlist(o)
	if err != nil {
		return nil, fmt.Errorf("create output %q: %w", local, err)
	}
	w, err := t.sink(o, n)
	o.mu.Lock()
	defer o.mu.Unlock()
	if err != nil {
		o.err = fmt.Errorf("create output %q: %w", local, err)
		return nil, o.err
	}
	if o.err != nil { // the task ended in between
		w.Abort()
		return nil, fmt.Errorf("create output %q: %w", local, o.err)
	}
	o.sink = w
	return o, nil
}

func (t *Task) sink(o *Output, n string) (sink, error) {
	if o.kind != "" {
		return &valueWriter{task: t, kind: o.kind, part: o.part}, nil
	}
	return t.blobs.Create(t.ctx, t.blobKey(n))
}

// declare checks a part against the declaration of the step.
func (t *Task) declare(local, key, name string) (*Output, error) {
	if err := errors.Join(checkText("key", key), checkText("name", name)); err != nil {
		return nil, fmt.Errorf("%q: %w", local, err)
	}
	for _, out := range t.work.Outputs {
		if out.Local == local {
			return &Output{task: t, local: local, data: out.Data, kind: out.JSON, part: task.Part{Key: key, Name: name}}, nil
		}
	}
	var known []string
	for _, out := range t.work.Outputs {
		known = append(known, out.Local)
	}
	return nil, unknownName(local, "the step writes", known)
}

// checkText refuses what JSON or a file system would alter.
func checkText(what, s string) error {
	const most = 1 << 10
	switch {
	case len(s) > most:
		return fmt.Errorf("a %s of %d bytes; at most %d are allowed", what, len(s), most)
	case !utf8.ValidString(s) || strings.Contains(s, "\x00"):
		return fmt.Errorf("the %s %q is not text (UTF-8 without NUL)", what, clip(s))
	}
	return nil
}

// Write appends to the part.
func (o *Output) Write(p []byte) (int, error) {
	o.mu.Lock()
	defer o.mu.Unlock()
	if o.sink == nil {
		if o.err != nil {
			return 0, fmt.Errorf("write output %q: %w", o.local, o.err)
		}
		return 0, fmt.Errorf("write output %q: it is closed", o.local)
	}
	n, err := o.sink.Write(p)
	if o.task.ended.Load() { // abandoned during the write, so nobody else discards it
		o.discard()
		return n, fmt.Errorf("write output %q: %w", o.local, errEnded)
	}
	return n, err
}

// discard drops what was written. The caller holds the lock.
func (o *Output) discard() {
	o.sink.Abort()
	o.sink, o.err = nil, errEnded
}

// Close finishes the part. Closing again returns the same result.
func (o *Output) Close() error {
	o.mu.Lock()
	defer o.mu.Unlock()
	if o.sink == nil {
		return o.err
	}
	if o.err = o.sink.Close(); o.err == nil {
		switch w := o.sink.(type) {
		case *blob.Writer:
			ref := w.Ref()
			o.part.Ref = &ref
		case *valueWriter:
			o.part.Value = w.part.Value
		}
	}
	o.sink, o.closed = nil, true
	return o.err
}

var errNotClosed = errors.New("it was not closed: close it and check the error before returning")

// end takes the part from the handler: it is complete, or the reason why not.
// A handler that was abandoned inside a Write keeps the lock; its blob ends
// with the context of the task.
func (o *Output) end() (task.Part, error) {
	if !o.mu.TryLock() {
		return task.Part{}, errNotClosed
	}
	defer o.mu.Unlock()
	switch {
	case o.sink != nil:
		o.discard()
		return task.Part{}, errNotClosed
	case !o.closed && o.err == nil: // it was never created
		o.err = errEnded
		return task.Part{}, errNotClosed
	}
	return o.part, o.err
}

// maxInlined bounds the inline values of one task, which are in memory; values
// beyond that become blobs.
const maxInlined = 8 << 20

// Emit writes value as JSON, as one part of an output with the key and name of
// the element of each: inline if it is small, else as a blob. An output with a
// declared type takes values of that type only, of at most [task.MaxValue] bytes.
func (t *Task) Emit(local string, value any) error {
	key, name, err := t.inherit()
	if err != nil {
		return fmt.Errorf("emit to output %q: %w", local, err)
	}
	return t.emit(local, key, name, value)
}

// EmitKeyed is Emit with a key of the part's own.
func (t *Task) EmitKeyed(local, key string, value any) error {
	_, name, err := t.inherit()
	if err != nil {
		return fmt.Errorf("emit to output %q: %w", local, err)
	}
	return t.emit(local, key, name, value)
}

func (t *Task) emit(local, key, name string, value any) error {
	// The bytes that encoding/json writes, HTML escapes included: it changes
	// nothing when the value goes through more JSON on its way.
	text, err := json.Marshal(value)
	if err != nil {
		return fmt.Errorf("emit to output %q: %w", local, err)
	}
	o, err := t.declare(local, key, name)
	if err != nil {
		return fmt.Errorf("emit to output: %w", err)
	}
	o.part.Value, o.closed = text, true
	if o.kind == "" && t.mayInline(len(text)) || o.kind != "" && t.mayBeValue(o.kind, o.part) {
		if _, err := t.enlist(o); err != nil {
			return fmt.Errorf("emit to output %q: %w", local, err)
		}
		return nil
	}
	if o, err = t.create(local, key, name); err != nil {
		return err
	}
	_, err = o.Write(text)
	if closeErr := o.Close(); err == nil {
		err = closeErr
	}
	if err != nil {
		return fmt.Errorf("emit to output %q: %w", local, err)
	}
	return nil
}

func (t *Task) mayInline(n int) bool {
	if n > task.MaxInline {
		return false
	}
	t.mu.Lock()
	defer t.mu.Unlock()
	t.inlined += n
	return t.inlined <= maxInlined
}
