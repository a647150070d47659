package api

import (
	"context"
	"errors"
	"fmt"
	"net/http"

	"golang.org/x/sync/errgroup"

	"github.com/deedrun/deed"
	"github.com/deedrun/deed/api/wire"
	"github.com/deedrun/deed/orchestrator"
	"github.com/deedrun/deed/queue"
	"github.com/deedrun/deed/task"
)

type submitInput struct {
	Body wire.Submit
}

type submitOutput struct {
	Status   int
	Location string `header:"Location"`
	Body     wire.Submitted
}

// submit starts a process. What its inputs refer to has to be stored by then.
func (s *server) submit(ctx context.Context, in *submitInput) (*submitOutput, error) {
	source, err := deed.Parse(in.Body.Definition)
	if err != nil {
		return nil, err
	}
	job := deed.Job{Source: source, Params: in.Body.Params, Settings: in.Body.Settings, Inputs: map[string]deed.Input{}, Files: map[string]task.Ref{}}
	var refs []task.Ref
	for name, given := range in.Body.Inputs {
		input, used, err := inputOf(name, given)
		if err != nil {
			return nil, err
		}
		job.Inputs[name], refs = input, append(refs, used...)
	}
	for _, f := range in.Body.Files {
		job.Files[f.Name] = f.Ref
		refs = append(refs, f.Ref)
	}
	if err := s.want(ctx, refs); err != nil {
		return nil, err
	}
	id := in.Body.ID
	if id == "" {
		id = deed.NewID(source.Name.Value)
	}
	before, err := orchestrator.Version(ctx, s.Events, id)
	if err != nil {
		return nil, err
	}
	start, err := s.Prepare(ctx, id, job, nil)
	if err != nil {
		return nil, err
	}
	answer, err := s.ask(ctx, id, start)
	if err != nil {
		return nil, mayBegin(id, in.Body.ID, err)
	}
	out := &submitOutput{Status: http.StatusCreated, Location: "/v1/processes/" + id}
	out.Body = wire.Submitted{ID: id, Attached: before > 0, Events: answer.Version}
	if out.Body.Attached {
		out.Status = http.StatusOK
	}
	return out, nil
}

// mayBegin names a process whose start was sent and not answered, if nobody but
// this server knows its ID: submitted without it, it would begin twice.
func mayBegin(id, given string, err error) error {
	if given == "" && (errors.Is(err, errNoAnswer) || errors.Is(err, context.DeadlineExceeded) || errors.Is(err, queue.ErrUnavailable)) {
		return fmt.Errorf("process %q may begin yet; submit it again with that id: %w", id, err)
	}
	return err
}

// inputOf is an input as it is given, and the blobs that it refers to.
func inputOf(name string, given wire.Input) (in deed.Input, refs []task.Ref, err error) {
	wrong := func(why string) error {
		return newProblem(http.StatusUnprocessableEntity, wire.CodeInput, "input %s: %s", name, why)
	}
	if given.Parts != nil && given.Values != nil {
		return in, nil, wrong("it has parts and values: give one of them")
	}
	parts := given.Parts
	for _, v := range given.Values {
		parts = append(parts, task.Part{Value: v})
	}
	for i, p := range parts {
		if (p.Ref == nil) == (p.Value == nil) {
			return in, nil, wrong(fmt.Sprintf("part %d: give it a ref, or a value", i))
		}
		if p.Ref != nil {
			refs = append(refs, *p.Ref)
		}
	}
	return deed.Parts(parts...), refs, nil
}

// looksAtOnce is how many blobs are looked for at a time.
const looksAtOnce = 8

// want makes sure that blobs are there, and stay until the process refers to them.
func (s *server) want(ctx context.Context, refs []task.Ref) error {
	group, each := errgroup.WithContext(ctx)
	group.SetLimit(looksAtOnce)
	for _, ref := range refs {
		group.Go(func() error {
			if err := s.Blobs.Want(each, ref); err != nil {
				return newProblem(http.StatusUnprocessableEntity, wire.CodeInput, "what was submitted refers to a blob that is not there as it says: %v: PUT /v1/blobs/KEY stores one", err)
			}
			return nil
		})
	}
	if err := group.Wait(); err != nil {
		return fmt.Errorf("submit: %w", err)
	}
	return nil
}
