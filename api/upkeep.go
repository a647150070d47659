package api

import (
	"context"
	"encoding/json"
	"net/http"
	"strings"
	"time"
	"unicode"

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
	return &body[orchestrator.Retention]{set}, s.upkeep.SetRetention(ctx, set)
}

type unsetRetentionInput struct {
	Name   string `path:"name" maxLength:"256" doc:"Of the definition, or *."`
	By     string `query:"by" maxLength:"256"`
	Reason string `query:"reason" maxLength:"4096"`
}

func (s *server) unsetRetention(ctx context.Context, in *unsetRetentionInput) (*struct{}, error) {
	known, err := s.upkeep.UnsetRetention(ctx, in.Name, wire.Asked{By: by(ctx, in.By), Reason: in.Reason})
	if err == nil && !known {
		err = newProblem(http.StatusNotFound, wire.CodeNotFound, "there is no setting for %q; /v1/retention lists them", in.Name)
	}
	return nil, err
}

type collectInput struct{ Body wire.GC }

func (s *server) collect(ctx context.Context, in *collectInput) (*body[wire.GCReport], error) {
	if grace := in.Body.Grace; grace != nil && *grace < 0 {
		return nil, newProblem(http.StatusUnprocessableEntity, wire.CodeInvalid, "grace %s: a grace period is not negative", grace)
	}
	if cacheFor := in.Body.CacheFor; cacheFor != nil && *cacheFor <= 0 {
		return nil, newProblem(http.StatusUnprocessableEntity, wire.CodeInvalid, "cacheFor %s: give a time; clearing the cache is something else", cacheFor)
	}
	report, err := s.upkeep.CollectGarbage(ctx, in.Body)
	return &body[wire.GCReport]{report}, err
}

func (s *server) quarantined(ctx context.Context, _ *struct{}) (*body[wire.QuarantineList], error) {
	all, err := s.upkeep.Quarantine(ctx)
	return &body[wire.QuarantineList]{wire.QuarantineList{Messages: all}}, err
}

type numberPath struct {
	Number uint64 `path:"number" minimum:"1" doc:"Of the message."`
}

func (s *server) showQuarantined(ctx context.Context, in *numberPath) (*body[wire.Quarantined], error) {
	m, ok, err := s.upkeep.Quarantined(ctx, in.Number)
	return &body[wire.Quarantined]{m}, in.known(ok, err)
}

func (s *server) retryQuarantined(ctx context.Context, in *numberPath) (*body[wire.Retried], error) {
	ok, err := s.upkeep.RetryQuarantined(ctx, in.Number)
	return &body[wire.Retried]{wire.Retried{Retried: []uint64{in.Number}}}, in.known(ok, err)
}

func (in *numberPath) known(ok bool, err error) error {
	if err == nil && !ok {
		return newProblem(http.StatusNotFound, wire.CodeNotFound, "no message %d is in quarantine; /v1/quarantine lists them", in.Number)
	}
	return err
}

func (s *server) viewStatus(ctx context.Context, _ *struct{}) (*body[wire.Views], error) {
	all, err := s.upkeep.ViewStatus(ctx)
	return &body[wire.Views]{wire.Views{Views: all}}, err
}

func (s *server) rebuildViews(ctx context.Context, _ *struct{}) (*body[orchestrator.Rebuilt], error) {
	rebuilt, err := s.upkeep.RebuildViews(ctx)
	return &body[orchestrator.Rebuilt]{rebuilt}, err
}
