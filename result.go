package deed

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"iter"

	"github.com/deedrun/deed/blob"
	"github.com/deedrun/deed/orchestrator/process"
	"github.com/deedrun/deed/task"
)

// Result is what a completed process wrote.
type Result struct {
	State process.State
	blobs *blob.Store
}

// The ends of a process without its outputs, for errors.Is.
var (
	ErrFailed    = errors.New("the process failed")
	ErrCancelled = errors.New("the process was cancelled")
)

// FailedError is the end of a process that failed.
type FailedError struct {
	ID      string
	Reason  string // Failure as a sentence
	Failure process.ProcessFailed
}

func (e *FailedError) Error() string { return fmt.Sprintf("process %q: %s", e.ID, e.Reason) }

// Is makes errors.Is(err, ErrFailed) true.
func (e *FailedError) Is(target error) bool { return target == ErrFailed }

// CancelledError is the end of a process that a person cancelled.
type CancelledError struct {
	ID     string
	Reason string // who cancelled it and why, as a sentence
	Cancel process.ProcessCancelled
}

func (e *CancelledError) Error() string { return fmt.Sprintf("process %q: %s", e.ID, e.Reason) }

// Is makes errors.Is(err, ErrCancelled) true.
func (e *CancelledError) Is(target error) bool { return target == ErrCancelled }

// Wait follows a process to its end; a paused one has not ended. Its error for
// a process that failed is a *FailedError, for one that was cancelled a
// *CancelledError. each, if not nil, sees the state after every commit.
func (r *Runtime) Wait(ctx context.Context, id string, each func(process.State)) (*Result, error) {
	for state, err := range r.Follow(ctx, id) {
		if err != nil {
			return nil, err
		}
		if each != nil {
			each(state)
		}
		if state.Ended() {
			return r.end(state)
		}
	}
	return nil, fmt.Errorf("wait for process %q: %w", id, context.Cause(ctx))
}

// end is the result of a process that has ended, or the error that says how.
func (r *Runtime) end(s process.State) (*Result, error) {
	switch {
	case s.Failure != nil:
		return nil, &FailedError{ID: s.ID, Reason: s.Failure.String(), Failure: *s.Failure}
	case s.Cancel != nil:
		return nil, &CancelledError{ID: s.ID, Reason: s.Cancel.String(), Cancel: *s.Cancel}
	}
	return r.Result(s), nil
}

// Result is the result of a process that has completed.
func (r *Runtime) Result(state process.State) *Result { return &Result{State: state, blobs: r.Blobs} }

// Parts yields the parts of a name, in order.
func (r *Result) Parts(ctx context.Context, name string) iter.Seq2[task.Part, error] {
	return func(yield func(task.Part, error) bool) {
		data, ok := r.State.Data(name)
		if !ok {
			yield(task.Part{}, fmt.Errorf("process %q has no sealed data named %q", r.State.ID, name))
			return
		}
		if data.Manifest == nil {
			for _, p := range data.Parts {
				if !yield(p, nil) {
					return
				}
			}
			return
		}
		list, err := r.blobs.OpenManifest(ctx, *data.Manifest)
		if err != nil {
			yield(task.Part{}, fmt.Errorf("%s of process %q: %w", name, r.State.ID, err))
			return
		}
		list.All(ctx)(yield)
	}
}

// Open streams one part, verified: bytes other than those that were written
// are an error, never data.
func (r *Result) Open(ctx context.Context, p task.Part) (io.ReadCloser, error) {
	return r.blobs.OpenPart(ctx, p)
}

// Text is the content of a name that holds one part.
func (r *Result) Text(ctx context.Context, name string) (string, error) {
	part, err := r.one(ctx, name)
	if err != nil {
		return "", err
	}
	in, err := r.Open(ctx, part)
	if err != nil {
		return "", err
	}
	defer in.Close()
	data, err := io.ReadAll(in)
	return string(data), err
}

// Value decodes the JSON of a name that holds one part.
func (r *Result) Value(ctx context.Context, name string, into any) error {
	text, err := r.Text(ctx, name)
	if err != nil {
		return err
	}
	if err := json.Unmarshal([]byte(text), into); err != nil {
		return fmt.Errorf("%s of process %q: %w", name, r.State.ID, err)
	}
	return nil
}

func (r *Result) one(ctx context.Context, name string) (task.Part, error) {
	var found []task.Part
	for p, err := range r.Parts(ctx, name) {
		if err != nil {
			return task.Part{}, err
		}
		if found = append(found, p); len(found) > 1 {
			break
		}
	}
	if len(found) != 1 {
		return task.Part{}, fmt.Errorf("%s of process %q does not hold one part; see Parts", name, r.State.ID)
	}
	return found[0], nil
}
