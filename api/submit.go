package api

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"strings"

	"golang.org/x/sync/errgroup"

	"github.com/deedrun/deed"
	"github.com/deedrun/deed/api/wire"
	"github.com/deedrun/deed/internal/access"
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
	source, err := deed.ParseAll(in.Body.Definition, in.Body.Named)
	if err != nil {
		return nil, err
	}
	if err := mayBe(ctx, source.Name.Value); err != nil {
		return nil, err
	}
	job := deed.Job{
		Source: source, Params: in.Body.Params, Settings: in.Body.Settings, Inputs: map[string]deed.Input{}, Files: map[string]task.Ref{},
		By: by(ctx, in.Body.By), NoCache: in.Body.NoCache,
	}
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
	if err := s.mayStart(ctx, id, source.Name.Value); err != nil {
		return nil, err
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
		return nil, s.takenBy(ctx, id, mayBegin(id, in.Body.ID, err))
	}
	out := &submitOutput{Status: http.StatusCreated, Location: "/v1/processes/" + id}
	out.Body = wire.Submitted{ID: id, Attached: before > 0, Events: answer.Version}
	if out.Body.Attached {
		out.Status = http.StatusOK
	}
	return out, nil
}

// mayBe is nil if processes of a definition exist for who asks: else he would
// start one, and not see it.
func mayBe(ctx context.Context, definition string) error {
	who := access.From(ctx)
	if !who.Scoped() || definition != "" && who.Sees(definition) {
		return nil
	}
	return forbidden("the token %s is for the processes of %s, and not for those of %q: ask an admin for another token", who.Name, strings.Join(who.Processes, ", "), definition)
}

// mayStart is nil if who asks may start a process of a definition under an ID,
// or attach to the one that has it.
func (s *server) mayStart(ctx context.Context, id, definition string) error {
	if err := mayBe(ctx, definition); err != nil {
		return err
	}
	seen, err := s.sees(ctx, id)
	if err != nil || seen {
		return err
	}
	version, err := orchestrator.Version(ctx, s.Events, id)
	if err == nil && version > 0 {
		err = taken(id)
	}
	return err
}

// takenBy keeps from who asks what a refusal says about the process that has
// the ID, if that does not exist for him: it came in between.
func (s *server) takenBy(ctx context.Context, id string, err error) error {
	if p := refused(err); p == nil || p.Code != wire.CodeRefused {
		return err
	}
	seen, seenErr := s.sees(ctx, id)
	switch {
	case seenErr != nil:
		return seenErr
	case seen:
		return err
	}
	version, versionErr := orchestrator.Version(ctx, s.Events, id)
	switch {
	case versionErr != nil:
		return versionErr
	case version > 0:
		return taken(id)
	}
	return err
}

func taken(id string) error {
	return newProblem(http.StatusConflict, wire.CodeRefused, "the ID %q is taken: choose another", id)
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
			if err := s.mayUse(each, ref); err != nil {
				return err
			}
			if ref.Elsewhere() { // whoever reads it looks
				return nil
			}
			if err := s.Blobs.Want(each, ref); err != nil {
				return notThere(ref.Key, err)
			}
			return nil
		})
	}
	if err := group.Wait(); err != nil {
		return fmt.Errorf("submit: %w", err)
	}
	return nil
}
