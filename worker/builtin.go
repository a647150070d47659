package worker

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"iter"
	"os"

	"github.com/deedrun/deed/task"
	"github.com/deedrun/deed/worker/standard"
)

// builtIn are the handlers that every worker has. Those that deed itself sends are
// for any worker, of whatever pool; the standard ones are for authors, whose steps
// say which.
func builtIn() map[string]HandlerFunc {
	all := map[string]HandlerFunc{task.SealHandler: seal, task.ChildHandler: lookUp}
	for name, handler := range standard.Handlers() {
		all[name] = standardHandler(name, handler)
	}
	return all
}

// isStandard reports whether a handler is one of those that authors may name.
func isStandard(handler string) bool {
	_, is := standard.Handlers()[handler]
	return is
}

// standardHandler gives a standard handler the one input and the one output of its step.
func standardHandler(name string, handler standard.Handler) HandlerFunc {
	return func(ctx context.Context, t *Task) (err error) {
		if in, out := len(t.work.Inputs), len(t.work.Outputs); in != 1 || out != 1 {
			return Permanent(fmt.Errorf("%s reads one name and writes one; the step reads %d and writes %d", name, in, out))
		}
		s := &standardTask{task: t}
		defer func() { err = errors.Join(err, s.clear()) }()
		err = handler(ctx, s)
		var bad *standard.BadInputError
		if errors.As(err, &bad) {
			return Permanent(err)
		}
		return err
	}
}

// standardTask is a task as standard handlers see it.
type standardTask struct {
	task *Task
	dir  string // "": none was needed
}

// Param is a parameter of the task.
func (s *standardTask) Param(name string) (value json.RawMessage, ok bool) {
	value, ok = s.task.work.Params[name]
	return value, ok
}

// Parts are those of the one input.
func (s *standardTask) Parts() iter.Seq2[standard.Part, error] {
	return func(yield func(standard.Part, error) bool) {
		for p, err := range s.task.Parts(s.task.work.Inputs[0].Local) {
			if !yield(standard.Part{Key: p.Key, Name: p.Name, Size: p.Size, Open: p.Open}, err) {
				return
			}
		}
	}
}

// Create starts a part of the one output.
func (s *standardTask) Create(key, name string) (io.WriteCloser, error) {
	return s.task.CreateNamed(s.task.work.Outputs[0].Local, key, name)
}

// Emit writes a value as a part of the one output.
func (s *standardTask) Emit(value any) error { return s.task.Emit(s.task.work.Outputs[0].Local, value) }

// Wants is the declared type of the output.
func (s *standardTask) Wants() string { return s.task.work.Outputs[0].JSON }

// Key is that of the element or the group.
func (s *standardTask) Key() string { return s.task.Key() }

// Directory is made when it is first asked for.
func (s *standardTask) Directory() (dir string, err error) {
	if s.dir == "" {
		s.dir, err = os.MkdirTemp(s.task.temp, "standard-")
	}
	return s.dir, err
}

func (s *standardTask) clear() error {
	if s.dir == "" {
		return nil
	}
	return os.RemoveAll(s.dir)
}
