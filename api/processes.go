package api

import (
	"cmp"
	"context"
	"encoding/base64"
	"net/http"
	"slices"
	"strings"
	"time"

	"github.com/deedrun/deed/api/wire"
	"github.com/deedrun/deed/orchestrator"
	"github.com/deedrun/deed/orchestrator/process"
)

// processes are what people see of processes.
func (r *routes) processes() {
	route(r, operator, http.MethodPost, "/v1/processes", "Start a process, or attach to it if it is there", r.submit, status(http.StatusCreated))
	route(r, viewer, http.MethodGet, "/v1/processes", "List processes, the latest first", r.listProcesses)
	route(r, viewer, http.MethodGet, "/v1/processes/{id}", "Where a process stands, or stood", r.show)
	route(r, viewer, http.MethodGet, "/v1/processes/{id}/history", "The events of a process", r.history)
	r.raw(viewer, http.MethodGet, "/v1/processes/{id}/watch", "Where a process stands after each of its commits, until its end", mediaEvents, schemaOf[wire.Standing](r), r.watch,
		numberParam("after", "Only what follows this event, which was seen; browsers say so by Last-Event-ID."))
}

type listProcessesInput struct {
	Status string `query:"status" enum:"running,paused,completed,failed,cancelled" doc:"Only those that stand so."`
	Name   string `query:"name" maxLength:"256" doc:"Only those of the definition of this name."`
	Prefix string `query:"prefix" maxLength:"64" doc:"Only those whose ID begins so."`
	Roots  bool   `query:"roots" doc:"Only those that are no children of others."`
	Parent string `query:"parent" maxLength:"64" doc:"Only the children of this process."`
	Family string `query:"family" maxLength:"64" doc:"Only this process and those below it: its children, theirs, and so on."`
	Next   string `query:"next" maxLength:"256" doc:"Where the page begins, as the one before it says."`
	Limit  int    `query:"limit" minimum:"1" maximum:"10000" default:"1000"`
}

func (s *server) listProcesses(ctx context.Context, in *listProcessesInput) (*body[wire.Processes], error) {
	after, err := placeOf(in.Next)
	if err != nil {
		return nil, err
	}
	all, err := s.visible(ctx)
	if err != nil {
		return nil, err
	}
	page := wire.Processes{Processes: []orchestrator.Summary{}}
	filter := orchestrator.Filter{Status: in.Status, Name: in.Name, Prefix: in.Prefix, Roots: in.Roots, Parent: in.Parent, Family: in.Family}
	for _, p := range filter.Of(all) {
		switch {
		case in.Next != "" && !after.before(p):
		case len(page.Processes) == in.Limit:
			page.Next = placeIn(page.Processes[in.Limit-1])
			return &body[wire.Processes]{page}, nil
		default:
			page.Processes = append(page.Processes, p)
		}
	}
	return &body[wire.Processes]{page}, nil
}

// listPlace is a place in the list: what comes new does not move it.
type listPlace struct {
	started time.Time
	id      string
}

func (l listPlace) before(p orchestrator.Summary) bool {
	return cmp.Or(p.StartedAt.Compare(l.started), cmp.Compare(l.id, p.ID)) < 0
}

func placeIn(p orchestrator.Summary) string {
	return base64.RawURLEncoding.EncodeToString([]byte(p.StartedAt.UTC().Format(time.RFC3339Nano) + " " + p.ID))
}

func placeOf(next string) (at listPlace, err error) {
	if next == "" {
		return at, nil
	}
	text, err := base64.RawURLEncoding.DecodeString(next)
	started, id, ok := strings.Cut(string(text), " ")
	if err == nil && ok {
		at.id = id
		at.started, err = time.Parse(time.RFC3339Nano, started)
	}
	if err != nil || !ok {
		return at, newProblem(http.StatusBadRequest, wire.CodeInvalid, "next=%q is from no page", next)
	}
	return at, nil
}

// load folds the history of a process that there has to be.
func (s *server) load(ctx context.Context, id string, at uint64) (process.State, error) {
	if err := s.see(ctx, id); err != nil {
		return process.State{}, err
	}
	state, err := orchestrator.LoadAt(ctx, s.Archive, id, at)
	if err == nil && state.Version == 0 {
		err = noProcess(id)
	}
	return state, err
}

func noProcess(id string) error {
	return newProblem(http.StatusNotFound, wire.CodeNoProcess, "there is no process %q; /v1/processes lists them", id)
}

type showInput struct {
	ProcessPath
	At uint64 `query:"at" doc:"After so many of its events; 0: now."`
}

func (s *server) show(ctx context.Context, in *showInput) (*body[wire.Process], error) {
	state, err := s.load(ctx, in.ID, in.At)
	if err == nil && state.Version < in.At {
		err = newProblem(http.StatusNotFound, wire.CodeNotFound, "process %q has %d events, so there is no event %d", in.ID, state.Version, in.At)
	}
	if err != nil {
		return nil, err
	}
	shown := wire.ProcessOf(state)
	if shown.Steps == nil {
		shown.Steps = []process.Progress{}
	}
	return &body[wire.Process]{shown}, nil
}

type historyInput struct {
	ProcessPath
	After uint64 `query:"after" doc:"Only what follows this event."`
	Limit int    `query:"limit" minimum:"1" maximum:"10000" default:"1000"`
}

func (s *server) history(ctx context.Context, in *historyInput) (*body[wire.History], error) {
	if err := s.see(ctx, in.ID); err != nil {
		return nil, err
	}
	page := wire.History{Events: []wire.Event{}}
	last := uint64(0)
	for e, err := range orchestrator.HistoryAfter(ctx, s.Archive, in.ID, in.After) {
		if err != nil {
			return nil, err
		}
		if len(page.Events) == in.Limit {
			page.Next = last
			break
		}
		last = e.Version
		page.Events = append(page.Events, wire.Event{Version: e.Version, ID: e.ID, Type: e.Type, Schema: e.Schema, Data: slices.Clone(e.Data)})
	}
	if len(page.Events) > 0 {
		return &body[wire.History]{page}, nil
	}
	version, err := orchestrator.Version(ctx, s.Events, in.ID)
	switch {
	case err != nil:
		return nil, err
	case version == 0:
		return nil, noProcess(in.ID)
	}
	return &body[wire.History]{page}, nil
}
