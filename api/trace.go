package api

import (
	"net/http"
	"strings"

	"github.com/deedrun/deed/internal/tracing"
)

// traced makes a span of a request that asks for something to be done; what that
// leads to goes on in its trace. Reads are many and say little, and inputs may be
// a million blobs: those only pass on the trace that they were made in. Who is
// not let in comes nowhere near this.
func (s *server) traced(w http.ResponseWriter, r *http.Request, pattern string, inside http.Handler) {
	ctx := tracing.In(r.Context(), r.Header.Get(tracing.Header))
	if !s.Tracer.On() || r.Method == http.MethodGet || r.Method == http.MethodHead || pattern == storesBlob {
		inside.ServeHTTP(w, r.WithContext(ctx))
		return
	}
	_, route, _ := strings.Cut(pattern, " ")
	ctx, span := s.Tracer.Start(ctx, r.Method+" "+route, tracing.Beginning{Kind: tracing.Server, Attrs: []tracing.Attr{
		tracing.Text("http.request.method", r.Method), tracing.Text("http.route", route), tracing.Text("url.path", r.URL.Path),
	}})
	answer := &statusNoted{ResponseWriter: w, status: http.StatusOK}
	defer func() {
		span.Set(tracing.Number("http.response.status_code", answer.status))
		if answer.status >= http.StatusInternalServerError {
			span.Fail(http.StatusText(answer.status))
		}
		span.End()
	}()
	inside.ServeHTTP(answer, r.WithContext(ctx))
}

// statusNoted remembers how a request was answered.
type statusNoted struct {
	http.ResponseWriter
	status int
}

func (s *statusNoted) WriteHeader(code int) {
	s.status = code
	s.ResponseWriter.WriteHeader(code)
}

// Unwrap is for http.ResponseController.
func (s *statusNoted) Unwrap() http.ResponseWriter { return s.ResponseWriter }
