package api

import (
	"context"
	"encoding/json"
	"net/http"
	"strings"
	"time"
	"unicode"

	"github.com/deedrun/deed"
	"github.com/deedrun/deed/api/wire"
	"github.com/deedrun/deed/orchestrator"
	"github.com/deedrun/deed/orchestrator/process"
)

// upkeep is what keeps a server's stores in order.
func (r *routes) upkeep() {
	route(r, viewerOfAll, http.MethodGet, "/v1/retention", "List how long ended processes are kept", r.retentions)
	route(r, adminOfAll, http.MethodPut, "/v1/retention/{name}", "Set how long the processes of a definition are kept; * is for all without a setting", r.setRetention)
	route(r, adminOfAll, http.MethodDelete, "/v1/retention/{name}", "Take a setting back", r.unsetRetention)
	route(r, adminOfAll, http.MethodPost, "/v1/gc", "Find blobs that no process refers to, and remove them if asked to", r.collect)
	route(r, adminOfAll, http.MethodGet, "/v1/quarantine", "List the messages that could not be used", r.quarantined)
	route(r, adminOfAll, http.MethodGet, "/v1/quarantine/{number}", "Show one of them", r.showQuarantined)
	route(r, adminOfAll, http.MethodPost, "/v1/quarantine/{number}/retry", "Send it again to the queue that it came from", r.retryQuarantined)
	route(r, viewerOfAll, http.MethodGet, "/v1/views", "What is stored of views", r.viewStatus)
	route(r, adminOfAll, http.MethodPost, "/v1/views/rebuild", "Fold the views from the first event, compare them, and store them", r.rebuildViews)
}

// writeJSON answers where the answer is JSON and the request was not.
func writeJSON(w http.ResponseWriter, code int, v any) error {
	data, err := json.Marshal(v)
	if err != nil {
		return err
	}
	w.Header().Set("Content-Type", mediaJSON)
	w.WriteHeader(code)
	_, _ = w.Write(data) // there is nobody left to tell
	return nil
}

func (s *server) retentions(ctx context.Context, _ *struct{}) (*body[wire.Retentions], error) {
	all, err := orchestrator.Retentions(ctx, s.Events)
	if all == nil {
		all = []orchestrator.Retention{}
	}
	return &body[wire.Retentions]{wire.Retentions{Retention: all}}, err
}

type setRetentionInput struct {
	Name string `path:"name" maxLength:"256" doc:"Of the definition, or *."`
	Body wire.Keep
}

func (s *server) setRetention(ctx context.Context, in *setRetentionInput) (*body[orchestrator.Retention], error) {
	set := orchestrator.Retention{
		Name: in.Name, ArchiveAfter: in.Body.ArchiveAfter, RemoveAfter: in.Body.RemoveAfter,
		Asked: process.Asked{By: by(ctx, in.Body.By), Reason: in.Body.Reason}, At: time.Now().UTC(),
	}
	switch {
	case strings.ContainsFunc(in.Name, unicode.IsControl):
		return nil, newProblem(http.StatusBadRequest, wire.CodeInvalid, "%q is no name of a definition", in.Name)
	case set.ArchiveAfter <= 0 || set.RemoveAfter < 0:
		return nil, newProblem(http.StatusUnprocessableEntity, wire.CodeInvalid, "give archiveAfter a time such as 720h, and removeAfter one or none")
	}
	return &body[orchestrator.Retention]{set}, orchestrator.SetRetention(ctx, s.Events, set)
}

type unsetRetentionInput struct {
	Name   string `path:"name" maxLength:"256" doc:"Of the definition, or *."`
	By     string `query:"by" maxLength:"256"`
	Reason string `query:"reason" maxLength:"4096"`
}

func (s *server) unsetRetention(ctx context.Context, in *unsetRetentionInput) (*struct{}, error) {
	known, err := orchestrator.UnsetRetention(ctx, s.Events, in.Name, process.Asked{By: by(ctx, in.By), Reason: in.Reason}, time.Now())
	if err == nil && !known {
		err = newProblem(http.StatusNotFound, wire.CodeNotFound, "there is no setting for %q; /v1/retention lists them", in.Name)
	}
	return nil, err
}

type collectInput struct{ Body wire.GC }

func (s *server) collect(ctx context.Context, in *collectInput) (*body[deed.GCReport], error) {
	o := deed.GCOptions{Delete: in.Body.Delete}
	if in.Body.Grace != nil {
		if o.Grace = time.Duration(*in.Body.Grace); o.Grace < 0 {
			return nil, newProblem(http.StatusUnprocessableEntity, wire.CodeInvalid, "grace %s: a grace period is not negative", in.Body.Grace)
		}
		o.Grace = max(o.Grace, time.Nanosecond) // none; to the library zero is the default
	}
	if in.Body.CacheFor != nil {
		if o.CacheFor = time.Duration(*in.Body.CacheFor); o.CacheFor <= 0 {
			return nil, newProblem(http.StatusUnprocessableEntity, wire.CodeInvalid, "cacheFor %s: give a time; clearing the cache is something else", in.Body.CacheFor)
		}
	}
	report, err := s.CollectGarbage(ctx, o)
	return &body[deed.GCReport]{report}, err
}

// quarantineList is the messages of the quarantine.
type quarantineList struct {
	Messages []deed.Quarantined `json:"messages"`
}

func (s *server) quarantined(ctx context.Context, _ *struct{}) (*body[quarantineList], error) {
	q, err := s.Quarantine()
	if err != nil {
		return nil, err
	}
	all, err := q.All(ctx)
	if all == nil {
		all = []deed.Quarantined{}
	}
	return &body[quarantineList]{quarantineList{all}}, err
}

type numberPath struct {
	Number uint64 `path:"number" minimum:"1" doc:"Of the message."`
}

func (s *server) message(ctx context.Context, number uint64) (*deed.Quarantine, deed.Quarantined, error) {
	q, err := s.Quarantine()
	if err != nil {
		return nil, deed.Quarantined{}, err
	}
	m, ok, err := q.Get(ctx, number)
	if err == nil && !ok {
		err = newProblem(http.StatusNotFound, wire.CodeNotFound, "no message %d is in quarantine; /v1/quarantine lists them", number)
	}
	return q, m, err
}

func (s *server) showQuarantined(ctx context.Context, in *numberPath) (*body[deed.Quarantined], error) {
	_, m, err := s.message(ctx, in.Number)
	return &body[deed.Quarantined]{m}, err
}

func (s *server) retryQuarantined(ctx context.Context, in *numberPath) (*body[wire.Retried], error) {
	q, m, err := s.message(ctx, in.Number)
	if err == nil {
		err = q.Retry(ctx, m)
	}
	return &body[wire.Retried]{wire.Retried{Retried: []uint64{in.Number}}}, err
}

func (s *server) viewStatus(ctx context.Context, _ *struct{}) (*body[wire.Views], error) {
	all, err := s.views.Status(ctx)
	return &body[wire.Views]{wire.Views{Views: all}}, err
}

func (s *server) rebuildViews(ctx context.Context, _ *struct{}) (*body[orchestrator.Rebuilt], error) {
	rebuilt, err := s.views.Rebuild(ctx, time.Now())
	return &body[orchestrator.Rebuilt]{rebuilt}, err
}
