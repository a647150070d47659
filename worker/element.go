package worker

import (
	"context"
	"fmt"
	"path"
	"sync"
	"time"

	"github.com/deedrun/deed/blob"
	"github.com/deedrun/deed/task"
)

// each is the input that gives a task its element, or the key of its group; nil:
// none does.
func each(work *task.Work) *task.Input {
	for i := range work.Inputs {
		in := &work.Inputs[i]
		if len(in.Keys) > 0 || in.Mode != task.Whole && (in.Mode != task.Group || in.Into == 0) {
			return in
		}
	}
	return nil
}

// nowhere is the element of a task that has none.
var nowhere task.Part

// locate finds what `each` gives to the task, as metadata: the one part, or the
// key of its group. Outputs inherit from it. What lies in a manifest is looked for
// when it is asked for, and then for the tasks beside this one, too.
func (t *Task) locate(ctx context.Context) (*task.Part, error) {
	if t.each == nil {
		return &nowhere, nil
	}
	if found := t.located.Load(); found != nil {
		return found, nil
	}
	if err := t.unlocated.Load(); err != nil {
		return nil, *err
	}
	found, err := t.find(ctx)
	if err != nil {
		t.unlocated.Store(&err)
		return nil, err
	}
	t.located.Store(found)
	return found, nil
}

// lazy reports whether a task can be begun without knowing its element.
func (s *setting) lazy() bool {
	return s.each == nil || s.each.Manifest != nil && len(s.each.Keys) == 0 && (s.each.Mode == task.Element || s.each.Mode == task.Group)
}

func (t *Task) find(ctx context.Context) (*task.Part, error) {
	in := t.each
	switch {
	case t.ordinal < len(in.Keys): // of a join, in which a key may have no parts here
		return &task.Part{Key: in.Keys[t.ordinal]}, nil
	case in.Mode != task.Element && in.Mode != task.Group && len(in.Keys) == 0:
		return nil, fmt.Errorf("read input %q: mode %q is not known to this worker: update it", in.Local, clip(string(in.Mode)))
	case in.Mode == task.Element && in.Manifest != nil:
		found, err := t.element(ctx, in, t.index)
		if err != nil {
			return nil, fmt.Errorf("read input %q: %w", in.Local, err)
		}
		return found, nil
	}
	for p, err := range t.list(in) {
		if err != nil {
			return nil, err
		}
		if in.Mode == task.Element {
			return &p, nil
		}
		return &task.Part{Key: p.Key}, nil
	}
	return &nowhere, nil
}

// inherit is the key and the file name that outputs of the task have unless they
// set their own.
func (t *Task) inherit() (key, name string, err error) {
	found, err := t.locate(t.ctx)
	if err != nil {
		return "", "", err
	}
	return found.Key, found.Name, nil
}

// nameWithin bounds how long the element of a task that failed is looked for.
const nameWithin = time.Second

// about is what people call the element; "": it has no name, or is not known.
func (t *Task) about() string {
	found := t.located.Load()
	if found == nil && t.each != nil && t.unlocated.Load() == nil {
		ctx, stop := context.WithTimeout(context.WithoutCancel(t.ctx), nameWithin)
		defer stop()
		found, _ = t.find(ctx)
	}
	switch {
	case found == nil:
		return ""
	case t.each.Mode == task.Element:
		return path.Join(found.Key, found.Name)
	}
	return found.Key
}

// elements is the elements of a list that an execution looked at last, with those
// beside them: its tasks read one after the other.
type elements struct {
	mu    sync.Mutex
	input *task.Input
	first int
	list  []blob.Entry
}

// element is part index of a list that lies in a manifest. It is not to be changed.
func (s *setting) element(ctx context.Context, in *task.Input, index int) (*task.Part, error) {
	known := &s.elements
	known.mu.Lock()
	if i := index - known.first; known.input == in && i >= 0 && i < len(known.list) {
		defer known.mu.Unlock()
		return &known.list[i].Part, nil
	}
	known.mu.Unlock()
	m, err := s.lists.open(ctx, *in.Manifest)
	if err != nil {
		return nil, err
	}
	first, list, err := m.Around(ctx, index)
	if err != nil {
		return nil, err
	}
	known.mu.Lock()
	defer known.mu.Unlock()
	known.input, known.first, known.list = in, first, list
	return &list[index-first].Part, nil
}
