package api

import (
	"context"
	"maps"
	"net/http"
	"slices"
	"strings"

	"github.com/oklog/ulid/v2"

	"github.com/deedrun/deed"
	"github.com/deedrun/deed/api/wire"
	"github.com/deedrun/deed/orchestrator"
	"github.com/deedrun/deed/orchestrator/definition"
	"github.com/deedrun/deed/orchestrator/process"
	"github.com/deedrun/deed/task"
)

// supervision is what people do about a process.
func (r *routes) supervision() {
	for _, c := range []struct {
		name, summary string
		command       func(process.Asked) process.Command
	}{
		{"cancel", "End a process: stop what runs, drop what waits", func(who process.Asked) process.Command { return process.CancelProcess{Asked: who} }},
		{"pause", "Schedule nothing more; what runs goes on and counts", func(who process.Asked) process.Command { return process.PauseProcess{Asked: who} }},
		{"resume", "Make a paused process go on", func(who process.Asked) process.Command { return process.ResumeProcess{Asked: who} }},
	} {
		route(r, operator, http.MethodPost, "/v1/processes/{id}/"+c.name, c.summary, func(ctx context.Context, in *askedInput[wire.Asked]) (*body[wire.Granted], error) {
			return r.grant(ctx, in.ID, in.Body, func(_ process.State, who process.Asked) (process.Command, error) { return c.command(who), nil })
		})
	}
	route(r, operator, http.MethodPost, "/v1/processes/{id}/retry", "Give tasks that failed a fresh budget, and go on", r.retry)
	route(r, operator, http.MethodPost, "/v1/processes/{id}/restart", "Run a step again, and all that follows from it", r.restart)
	route(r, operator, http.MethodPost, "/v1/processes/{id}/settings", "Change settings of one process", r.set)
	route(r, operator, http.MethodPost, "/v1/processes/{id}/definition", "Move a process to another version of its definition", r.revise)
}

// askedInput is what somebody asks of a process.
type askedInput[T any] struct {
	ProcessPath
	Body T
}

func (s *server) retry(ctx context.Context, in *askedInput[wire.Retry]) (*body[wire.Granted], error) {
	return s.grant(ctx, in.ID, in.Body.Asked, func(_ process.State, who process.Asked) (process.Command, error) {
		return process.RetryTasks{Address: in.Body.Address, Tasks: in.Body.Tasks, Asked: who}, nil
	})
}

func (s *server) restart(ctx context.Context, in *askedInput[wire.Restart]) (*body[wire.Granted], error) {
	return s.grant(ctx, in.ID, in.Body.Asked, func(_ process.State, who process.Asked) (process.Command, error) {
		return process.RestartFrom{Address: in.Body.From, Asked: who}, nil
	})
}

func (s *server) set(ctx context.Context, in *askedInput[wire.Settings]) (*body[wire.Granted], error) {
	return s.grant(ctx, in.ID, in.Body.Asked, func(state process.State, who process.Asked) (process.Command, error) {
		def := *state.Definition
		for _, setting := range slices.Sorted(maps.Keys(in.Body.Settings)) {
			var err error
			if def, err = definition.Set(def, setting, in.Body.Settings[setting]); err != nil {
				return nil, newProblem(http.StatusUnprocessableEntity, wire.CodeInvalid, "%v", err)
			}
		}
		return process.ReviseProcess{Definition: def, Base: state.Hash, Asked: who}, nil
	})
}

func (s *server) revise(ctx context.Context, in *askedInput[wire.Revision]) (*body[wire.Granted], error) {
	if err := s.see(ctx, in.ID); err != nil {
		return nil, err
	}
	source, err := deed.ParseAll(in.Body.Definition, in.Body.Named)
	if err == nil {
		err = mayBe(ctx, source.Name.Value)
	}
	if err != nil {
		return nil, err
	}
	job := deed.Job{Source: source, Params: in.Body.Params, Settings: in.Body.Settings, Files: map[string]task.Ref{}}
	var refs []task.Ref
	for _, f := range in.Body.Files {
		job.Files[f.Name] = f.Ref
		refs = append(refs, f.Ref)
	}
	if err := s.want(ctx, refs); err != nil {
		return nil, err
	}
	return s.grant(ctx, in.ID, in.Body.Asked, func(state process.State, who process.Asked) (process.Command, error) {
		c, err := s.Revision(ctx, state, job)
		c.Asked = who
		return c, err
	})
}

// grant sends what is made of the state of a process, and says what came of it.
func (s *server) grant(ctx context.Context, id string, asked wire.Asked, wish func(process.State, process.Asked) (process.Command, error)) (*body[wire.Granted], error) {
	before, err := s.load(ctx, id, 0)
	if err == nil {
		err = before.Damage()
	}
	if err != nil {
		return nil, err
	}
	who := asked.Process()
	who.By = by(ctx, who.By)
	if who.Command == "" {
		who.Command = strings.ToLower(ulid.Make().String())
	}
	c, err := wish(before, who)
	if err != nil {
		return nil, err
	}
	if _, err := s.ask(ctx, id, c); err != nil {
		return nil, err
	}
	event, err := orchestrator.Granted(ctx, s.Archive, id, before.Version, who.Command)
	if err != nil {
		return nil, err
	}
	after, err := orchestrator.Load(ctx, s.Archive, id)
	if err != nil {
		return nil, err
	}
	granted := wire.Granted{ID: id, Status: after.Status, Changed: event != nil}
	if event != nil {
		granted.Event = event.String()
	}
	if _, revised := event.(process.ProcessRevised); revised {
		granted.Differs = definition.Diff(*before.Definition, *after.Definition)
	}
	return &body[wire.Granted]{granted}, nil
}
