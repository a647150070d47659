package api

import (
	"context"
	"fmt"
	"io"
	"net/http"
	"os"
	"time"

	"github.com/deedrun/deed/api/wire"
	"github.com/deedrun/deed/orchestrator"
	"github.com/deedrun/deed/orchestrator/process"
)

// archives are the histories that were moved into files.
func (r *routes) archives() {
	route(r, operator, http.MethodPost, "/v1/processes/{id}/archive", "Move the history of an ended process into a file", r.archive)
	route(r, admin, http.MethodDelete, "/v1/processes/{id}/archive", "Remove the archive of a process for good; its ID stays taken", r.removeArchive)
	r.raw(viewer, http.MethodGet, "/v1/processes/{id}/archive", "Read the file of an archived process", "application/gzip", content(), r.exportArchive)
	r.raw(adminOfAll, http.MethodPost, "/v1/archives", "Take in the file of a process that was archived elsewhere", mediaJSON, schemaOf[wire.Archived](r), r.importArchive,
		takes(mediaBytes, "The file."), textParam("by", "Who asks."), textParam("reason", "Why."))
	route(r, viewer, http.MethodGet, "/v1/archives/due", "List what the retention settings ask for now, or what ended before a time", r.due)
}

func (s *server) archive(ctx context.Context, in *askedInput[wire.Asked]) (*body[wire.Archived], error) {
	if err := s.known(ctx, in.ID); err != nil {
		return nil, err
	}
	in.Body.By = by(ctx, in.Body.By)
	archived, err := s.upkeep.Archive(ctx, in.ID, in.Body)
	return &body[wire.Archived]{archived}, err
}

func (s *server) known(ctx context.Context, id string) error {
	if err := s.see(ctx, id); err != nil {
		return err
	}
	version, err := orchestrator.Version(ctx, s.Events, id)
	if err == nil && version == 0 {
		err = noProcess(id)
	}
	return err
}

type removeInput struct {
	ProcessPath
	By     string `query:"by" maxLength:"256"`
	Reason string `query:"reason" maxLength:"4096"`
}

func (s *server) removeArchive(ctx context.Context, in *removeInput) (*body[wire.Archived], error) {
	if err := s.known(ctx, in.ID); err != nil {
		return nil, err
	}
	removed, err := s.upkeep.RemoveArchive(ctx, in.ID, wire.Asked{By: by(ctx, in.By), Reason: in.Reason})
	return &body[wire.Archived]{removed}, err
}

func (s *server) exportArchive(w http.ResponseWriter, r *http.Request) error {
	id := r.PathValue("id")
	if err := process.CheckID(id); err != nil {
		return newProblem(http.StatusBadRequest, wire.CodeInvalid, "%v", err)
	}
	if err := s.see(r.Context(), id); err != nil {
		return err
	}
	archived, removed, err := s.Archive.Closed(r.Context(), id)
	switch {
	case err != nil:
		return err
	case removed != nil:
		return &orchestrator.RemovedError{Removed: *removed}
	case archived == nil:
		return newProblem(http.StatusNotFound, wire.CodeNotFound, "process %q is not archived", id)
	}
	w.Header().Set("Content-Disposition", fmt.Sprintf("attachment; filename=%q", id+".tar.gz"))
	sayDigest(w, archived.Archive.SHA256)
	return s.sendWhole(w, r, archived.Archive)
}

// importArchive keeps the file beside while it takes it in: it is read several times.
func (s *server) importArchive(w http.ResponseWriter, r *http.Request) (err error) {
	spool, err := os.CreateTemp("", "deed-archive-*")
	if err != nil {
		return err
	}
	defer func() {
		_ = spool.Close()
		_ = os.Remove(spool.Name())
	}()
	if _, err := io.Copy(spool, piecesOf(w, r)); err != nil {
		return fmt.Errorf("receive an archive: %w", err)
	}
	if _, err := spool.Seek(0, io.SeekStart); err != nil {
		return err
	}
	query := r.URL.Query()
	archived, err := s.upkeep.ImportArchive(r.Context(), spool, wire.Asked{By: by(r.Context(), query.Get("by")), Reason: query.Get("reason")})
	if err != nil {
		return err
	}
	return writeJSON(w, http.StatusOK, archived)
}

type dueInput struct {
	Before time.Time `query:"before" doc:"What ended before this time; none: what the retention settings ask for."`
	Name   string    `query:"name" maxLength:"256" doc:"With before: only processes of the definition of this name."`
}

func (s *server) due(ctx context.Context, in *dueInput) (*body[wire.Dues], error) {
	all, err := s.upkeep.Due(ctx, in.Before, in.Name)
	if err != nil {
		return nil, err
	}
	some := []orchestrator.Due{}
	for _, d := range all {
		seen, err := s.sees(ctx, d.ID)
		if err != nil {
			return nil, err
		}
		if seen {
			some = append(some, d)
		}
	}
	return &body[wire.Dues]{wire.Dues{Due: some}}, nil
}
