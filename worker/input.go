package worker

import (
	"context"
	"fmt"
	"io"
	"iter"
	"sync/atomic"

	"github.com/deedrun/deed/task"
)

// Part is one element of a list that a task reads.
type Part struct {
	Key  string // may be empty
	Name string // the file name, without folders; may be empty
	Size int64  // bytes that Open reads

	task *Task
	part task.Part
}

// Open streams the part. The bytes are verified: read to the end, and check
// the error, before trusting them. An inline value reads as JSON text.
func (p Part) Open() (io.ReadCloser, error) {
	return p.task.openPart(p.task.ctx, p.part)
}

// Open streams an input of one part: the element of each, or a list that has
// exactly one part. See [Part.Open].
func (t *Task) Open(local string) (io.ReadCloser, error) {
	part, err := t.single(local)
	if err != nil {
		return nil, err
	}
	r, err := t.openPart(t.ctx, part)
	if err != nil {
		return nil, fmt.Errorf("open input %q: %w", local, err)
	}
	return r, nil
}

// single is the one part of an input.
func (t *Task) single(local string) (task.Part, error) {
	var found []task.Part
	for p, err := range t.parts(local) {
		if err != nil {
			return task.Part{}, err
		}
		if found = append(found, p); len(found) > 1 {
			return task.Part{}, fmt.Errorf("open input %q: it is a list of more than one part: read it with Parts", local)
		}
	}
	if len(found) == 0 {
		return task.Part{}, fmt.Errorf("open input %q: it is an empty list: read it with Parts", local)
	}
	return found[0], nil
}

// Parts yields the parts of an input in order; for the element of each, that
// one. An error is the last thing it yields.
func (t *Task) Parts(local string) iter.Seq2[Part, error] {
	return func(yield func(Part, error) bool) {
		for p, err := range t.parts(local) {
			if err != nil {
				yield(Part{}, err)
				return
			}
			if !yield(Part{Key: p.Key, Name: p.Name, Size: p.Size(), task: t, part: p}, nil) {
				return
			}
		}
	}
}

func (t *Task) parts(local string) iter.Seq2[task.Part, error] {
	for i := range t.work.Inputs {
		if t.work.Inputs[i].Local == local {
			return t.list(&t.work.Inputs[i])
		}
	}
	var known []string
	for _, in := range t.work.Inputs {
		known = append(known, in.Local)
	}
	return failed(fmt.Errorf("open input: %w", unknownName(local, "the step reads", known)))
}

// list is what an input gives to this task.
func (t *Task) list(in *task.Input) iter.Seq2[task.Part, error] {
	if in.Manifest != nil {
		return func(yield func(task.Part, error) bool) {
			for p, err := range t.stored(in) {
				if err != nil {
					t.noteDamage(err)
					err = fmt.Errorf("read input %q: %w", in.Local, err)
				}
				if !yield(p, err) || err != nil {
					return
				}
			}
		}
	}
	k := t.ordinal
	if in.Mode == task.Whole {
		k = 0
	}
	if k >= len(in.Lists) {
		if in.Mode == task.Whole {
			return func(func(task.Part, error) bool) {}
		}
		return failed(Permanent(fmt.Errorf("read input %q: the message brings %d lists, none for its task %d: the sender is at fault", in.Local, len(in.Lists), k)))
	}
	list := in.Lists[k]
	if in.Mode == task.Element && len(list) != 1 {
		return failed(Permanent(fmt.Errorf("read input %q: the message brings %d parts as the element of task %d: the sender is at fault", in.Local, len(list), t.index)))
	}
	return func(yield func(task.Part, error) bool) {
		for _, p := range list {
			if !yield(p, nil) {
				return
			}
		}
	}
}

// stored reads the list from its manifest.
func (t *Task) stored(in *task.Input) iter.Seq2[task.Part, error] {
	if in.Mode != task.Whole && in.Mode != task.Group && len(in.Keys) == 0 {
		part, err := t.element(t.ctx, in, t.index)
		if err != nil {
			return failed(err)
		}
		return func(yield func(task.Part, error) bool) { yield(*part, nil) }
	}
	m, err := t.lists.open(t.ctx, *in.Manifest)
	if err != nil {
		return failed(err)
	}
	switch {
	case in.Mode == task.Whole:
		return m.All(t.ctx)
	case len(in.Keys) > 0:
		if t.ordinal >= len(in.Keys) {
			return failed(Permanent(fmt.Errorf("the message brings %d keys, none for its task %d: the sender is at fault", len(in.Keys), t.ordinal)))
		}
		return m.Of(t.ctx, in.Keys[t.ordinal])
	case in.Mode == task.Group && in.Into > 0:
		return m.Bucket(t.ctx, t.index, in.Into)
	}
	return m.Group(t.ctx, t.index)
}

func failed(err error) iter.Seq2[task.Part, error] {
	return func(yield func(task.Part, error) bool) { yield(task.Part{}, err) }
}

// openPart opens a part for whoever executes the task.
func (t *Task) openPart(ctx context.Context, part task.Part) (io.ReadCloser, error) {
	r, err := t.blobs.OpenPart(ctx, part)
	if err != nil {
		t.noteDamage(err)
		return nil, err
	}
	c := &counted{ReadCloser: r, task: t, linked: part.Ref != nil && part.Ref.Elsewhere() && part.Ref.SHA256 != ""}
	if c.linked {
		t.unsure.Add(1)
	}
	return c, nil
}

// counted counts what is read, once it is closed: several read at a time.
type counted struct {
	io.ReadCloser

	task   *Task
	bytes  int64
	linked bool        // what it reads may change, which shows at its end
	closed atomic.Bool // what a read says then is about the caller
}

func (c *counted) Read(p []byte) (int, error) {
	n, err := c.ReadCloser.Read(p)
	c.bytes += int64(n)
	if c.linked && err == io.EOF {
		c.linked = false
		c.task.unsure.Add(-1)
	}
	if !c.closed.Load() {
		c.task.noteDamage(err)
	}
	return n, err
}

func (c *counted) Close() error {
	c.closed.Store(true)
	c.task.metrics.Read(c.bytes)
	c.bytes = 0
	return c.ReadCloser.Close()
}
