package api

import (
	"context"
	"encoding/json"
	"errors"
	"net/http"
	"time"

	"github.com/deedrun/deed/api/wire"
	"github.com/deedrun/deed/orchestrator"
	"github.com/deedrun/deed/orchestrator/process"
)

// orchestration is what the orchestrators are asked and told by programs.
func (r *routes) orchestration() {
	route(r, operator, http.MethodPost, "/v1/processes/{id}/commands", "Send a command to a process, as deed's own programs do", r.command)
	route(r, viewer, http.MethodGet, "/v1/look", "What the orchestrators see right now: who runs what, and what waits", r.look)
	route(r, viewer, http.MethodGet, "/v1/pools", "How much work each pool has, and who is there to do it", r.pools)
	route(r, adminOfAll, http.MethodPost, "/v1/workers/{name}/drain", "Make a worker finish what it executes, hand back the rest, and leave", r.drain, status(http.StatusAccepted))
}

// errNoAnswer is an orchestrator that does not answer: it may be changing hands.
var errNoAnswer = errors.New("no orchestrator answered in time: it may just be changing hands, or be stuck; ask again")

// answering bounds the wait for an answer.
func (s *server) answering(ctx context.Context) (context.Context, context.CancelFunc) {
	return context.WithTimeoutCause(ctx, s.options.AnswerWithin, errNoAnswer)
}

// ProcessPath is the process that a request is about. It has a large letter for
// the sake of huma, which sets no fields of what has a small one.
type ProcessPath struct {
	ID string `path:"id" pattern:"^[a-z0-9-]{1,64}$" doc:"The process."`
}

type commandInput struct {
	ProcessPath
	Body json.RawMessage `doc:"A command with its type and data. One that has an ID counts once, however often it is sent."`
}

func (s *server) command(ctx context.Context, in *commandInput) (*body[orchestrator.Answer], error) {
	if len(in.Body) > mostText {
		return nil, newProblem(http.StatusRequestEntityTooLarge, wire.CodeTooLarge, "the command is larger than %d bytes", mostText)
	}
	c, err := process.DecodeCommand(in.Body, time.Now())
	if err != nil {
		return nil, newProblem(http.StatusBadRequest, wire.CodeInvalid, "%v", err)
	}
	if start, ok := c.(process.StartProcess); ok && start.ID != in.ID {
		return nil, newProblem(http.StatusBadRequest, wire.CodeInvalid, "the command starts process %q, and was sent to %q", start.ID, in.ID)
	}
	if c, err = signed(ctx, c); err != nil {
		return nil, err
	}
	if err := s.mayCommand(ctx, in.ID, c); err != nil {
		return nil, err
	}
	answer, err := s.ask(ctx, in.ID, c)
	if _, starts := c.(process.StartProcess); starts && err != nil {
		err = s.takenBy(ctx, in.ID, err)
	}
	return &body[orchestrator.Answer]{answer}, err
}

// mayCommand refuses a command that is about what does not exist for who asks.
func (s *server) mayCommand(ctx context.Context, id string, c process.Command) error {
	switch c := c.(type) {
	case process.StartProcess:
		if err := s.mayStart(ctx, id, c.Definition.Name); err != nil {
			return err
		}
		return s.mayRefer(ctx, c.Definition.AllFiles(), c.Inputs)
	case process.ReviseProcess:
		if err := s.see(ctx, id); err != nil {
			return err
		}
		if err := mayBe(ctx, c.Definition.Name); err != nil {
			return err
		}
		return s.mayRefer(ctx, c.Definition.AllFiles(), nil)
	}
	return s.see(ctx, id)
}

// ask sends a command, and waits for what becomes of it.
func (s *server) ask(ctx context.Context, id string, c process.Command) (orchestrator.Answer, error) {
	within, cancel := s.answering(ctx)
	defer cancel()
	return s.Send(within, id, c)
}

type lookInput struct {
	Process string `query:"process" maxLength:"64" doc:"One process; empty: all."`
}

func (s *server) look(ctx context.Context, in *lookInput) (*body[orchestrator.View], error) {
	view, err := s.lookAt(ctx, in.Process)
	return &body[orchestrator.View]{view}, err
}

func (s *server) pools(ctx context.Context, _ *struct{}) (*body[wire.Pools], error) {
	view, err := s.lookAt(ctx, "")
	return &body[wire.Pools]{wire.Pools{Certain: view.Certain, Pools: view.Pools}}, err
}

type workerPath struct {
	Name string `path:"name" maxLength:"200" doc:"The worker, as /v1/look lists it."`
}

func (s *server) drain(ctx context.Context, in *workerPath) (*body[wire.Drained], error) {
	within, cancel := s.answering(ctx)
	defer cancel()
	view, err := s.Look(within, "")
	if err != nil {
		return nil, err
	}
	for _, w := range view.Workers {
		if w.Worker == in.Name {
			return &body[wire.Drained]{wire.Drained{Worker: w.Worker, Holding: w.Holding}}, s.upkeep.DrainWorker(ctx, in.Name)
		}
	}
	return nil, newProblem(http.StatusNotFound, wire.CodeNotFound, "there is no worker %q; /v1/look lists those that are there", in.Name)
}
