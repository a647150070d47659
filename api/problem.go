package api

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"net/http"
	"strings"

	"github.com/danielgtaylor/huma/v2"

	"github.com/deedrun/deed"
	"github.com/deedrun/deed/api/wire"
	"github.com/deedrun/deed/blob"
	"github.com/deedrun/deed/events"
	"github.com/deedrun/deed/orchestrator"
	"github.com/deedrun/deed/orchestrator/process"
	"github.com/deedrun/deed/queue"
)

// newProblem is a problem whose detail is said here.
func newProblem(status int, code, format string, args ...any) *wire.Problem {
	return &wire.Problem{Status: status, Title: http.StatusText(status), Code: code, Detail: fmt.Sprintf(format, args...)}
}

// problem is how an error travels.
func (s *server) problem(ctx context.Context, err error) *wire.Problem {
	var own *wire.Problem
	if errors.As(err, &own) {
		return own
	}
	p := s.told(err)
	if p == nil {
		p = newProblem(http.StatusInternalServerError, wire.CodeInternal, "%v", err)
		if ctx.Err() != nil {
			p = newProblem(http.StatusServiceUnavailable, wire.CodeLeaving, "this server ends; ask the next one")
		} else {
			s.log.Error("api: a request failed", "error", err)
		}
	}
	return p
}

// told is the problem of an error that has a meaning of its own; nil: of another.
func (s *server) told(err error) *wire.Problem {
	if p := refused(err); p != nil {
		return p
	}
	var faults *deed.FaultsError
	var input *deed.InputError
	var damaged *events.DamagedError
	var corrupt *blob.CorruptError
	var changed *blob.ChangedError
	var denied *blob.DeniedError
	var file *orchestrator.ArchiveFileError
	var mismatch *blob.MismatchError
	var tooLarge *http.MaxBytesError
	var long *blob.LongLineError
	as := func(status int, code string) *wire.Problem { return newProblem(status, code, "%v", err) }
	switch {
	case errors.As(err, &faults):
		p := as(http.StatusUnprocessableEntity, wire.CodeFaults)
		p.Faults = wire.FaultsOf(faults.Faults)
		return p
	case errors.As(err, &input), errors.As(err, &long):
		return as(http.StatusUnprocessableEntity, wire.CodeInput)
	case errors.As(err, &file):
		return as(http.StatusUnprocessableEntity, wire.CodeArchiveFile)
	case errors.As(err, &mismatch):
		return as(http.StatusUnprocessableEntity, wire.CodeInvalid)
	case errors.As(err, &tooLarge):
		return newProblem(http.StatusRequestEntityTooLarge, wire.CodeTooLarge, "the body is larger than the %d bytes that are read here", tooLarge.Limit)
	case errors.Is(err, queue.ErrTooLarge):
		return as(http.StatusRequestEntityTooLarge, wire.CodeTooLarge)
	case errors.Is(err, errNoAnswer), errors.Is(err, context.DeadlineExceeded):
		return as(http.StatusGatewayTimeout, wire.CodeNoAnswer)
	case errors.Is(err, blob.ErrNotFound):
		return as(http.StatusNotFound, wire.CodeNoBlob)
	case errors.Is(err, blob.ErrExists):
		return as(http.StatusPreconditionFailed, wire.CodeBlobExists)
	case errors.Is(err, blob.ErrNotLent):
		return as(http.StatusForbidden, wire.CodeReadOnly)
	case errors.As(err, &denied):
		return as(http.StatusForbidden, wire.CodeForbidden)
	case errors.As(err, &corrupt), errors.As(err, &changed):
		return as(http.StatusInternalServerError, wire.CodeCorrupt)
	case errors.As(err, &damaged):
		return as(http.StatusInternalServerError, wire.CodeDamaged)
	case errors.Is(err, events.ErrStopped): // the stores are being closed
		return newProblem(http.StatusServiceUnavailable, wire.CodeLeaving, "this server ends; ask the next one")
	case errors.Is(err, events.ErrUnavailable), errors.Is(err, queue.ErrUnavailable):
		return as(http.StatusServiceUnavailable, wire.CodeUnavailable)
	}
	return nil
}

// refused is the problem of what a process will not do.
func refused(err error) *wire.Problem {
	var answer *orchestrator.AnswerError
	var decided *process.RefusedError
	var removed *orchestrator.RemovedError
	switch {
	case errors.As(err, &removed):
		return newProblem(http.StatusGone, wire.CodeRemoved, "%v", removed)
	case errors.As(err, &answer):
		if strings.HasSuffix(answer.Text, process.ErrNotStarted.Error()) {
			return newProblem(http.StatusNotFound, wire.CodeNoProcess, "%s", answer.Text)
		}
		p := newProblem(http.StatusConflict, wire.CodeRefused, "%s", answer.Text)
		p.Differs = answer.Differs
		return p
	case errors.As(err, &decided):
		p := newProblem(http.StatusConflict, wire.CodeRefused, "%v", decided)
		p.Differs = decided.Differs
		return p
	}
	return nil
}

// asProblem gives what huma finds wrong with a request the form of all problems.
func asProblem(_ huma.Context, _ string, v any) (any, error) {
	model, ok := v.(*huma.ErrorModel)
	if !ok {
		return v, nil
	}
	code := wire.CodeInvalid
	switch {
	case model.Status == http.StatusUnsupportedMediaType:
		code = wire.CodeMediaType
	case model.Status == http.StatusNotAcceptable:
		code = wire.CodeAcceptable
	case model.Status >= http.StatusInternalServerError:
		code = wire.CodeInternal
	}
	p := newProblem(model.Status, code, "the request is not as it has to be: %s", model.Detail)
	for _, e := range model.Errors {
		p.Errors = append(p.Errors, wire.Invalid{Where: e.Location, Message: e.Message})
	}
	return p, nil
}

// writeProblem answers with a problem, as far as nothing has been answered yet.
func writeProblem(w http.ResponseWriter, r *http.Request, p *wire.Problem) {
	h := w.Header()
	for _, name := range []string{"Content-Length", "Etag", "Last-Modified", "Repr-Digest"} {
		h.Del(name) // those of the content that there is none of
	}
	maps.Copy(h, p.GetHeaders())
	h.Set("Content-Type", wire.ProblemType)
	if r.Method == http.MethodHead { // it has no body to say it in
		h.Set(wire.HeaderCode, p.Code)
		h.Set(wire.HeaderDetail, oneLine(p.Detail))
		w.WriteHeader(p.Status)
		return
	}
	w.WriteHeader(p.Status)
	_ = json.NewEncoder(w).Encode(p) // there is nobody left to tell
}

// oneLine is a text that fits into a header.
func oneLine(text string) string {
	text = strings.Map(func(c rune) rune {
		if c < ' ' || c > '~' {
			return ' '
		}
		return c
	}, text)
	return text[:min(len(text), 500)]
}
