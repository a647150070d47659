package api

import (
	"net/http"
	"strings"
	"time"

	"github.com/deedrun/deed/api/wire"
	"github.com/deedrun/deed/internal/metrics"
)

// metrics is what Prometheus scrapes. It has no names of processes, but counts
// those of everybody.
func (r *routes) metrics() {
	r.raw(viewerOfAll, http.MethodGet, "/metrics", "What this server measures, for Prometheus", "text/plain", text(), func(w http.ResponseWriter, req *http.Request) error {
		if r.options.Metrics == nil {
			return newProblem(http.StatusNotFound, wire.CodeNotFound, "this server measures nothing")
		}
		r.options.Metrics.Handler().ServeHTTP(w, req)
		return nil
	})
}

// measured counts what is asked, and how it is answered, refusals included.
func (s *server) measured(inside *http.ServeMux, next http.Handler) http.Handler {
	m := s.options.Metrics.API()
	if m == nil {
		return next
	}
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		defer m.Begins()()
		_, pattern := inside.Handler(r)
		route := pattern[strings.Index(pattern, " ")+1:]
		began, a := time.Now(), &answered{ResponseWriter: w, metrics: m}
		defer func() {
			stream := a.ended != nil
			if stream {
				a.ended()
			}
			if a.status == 0 { // nothing was written, and the server says 200; or it was cut off
				a.status = http.StatusOK
			}
			m.Answered(route, r.Method, a.status, stream, time.Since(began))
		}()
		next.ServeHTTP(a, r)
	})
}

// answered hears how a request is answered.
type answered struct {
	http.ResponseWriter

	metrics *metrics.API
	status  int
	ended   func() // of a stream
}

// Unwrap lets an [http.ResponseController] have the connection.
func (a *answered) Unwrap() http.ResponseWriter { return a.ResponseWriter }

// WriteHeader notes the status, and whether what follows is a stream.
func (a *answered) WriteHeader(status int) {
	if a.status == 0 && status >= http.StatusOK {
		a.status = status
		media, _, _ := strings.Cut(a.Header().Get("Content-Type"), ";")
		if media == wire.LinesType || media == mediaEvents {
			a.ended = a.metrics.Streams()
		}
	}
	a.ResponseWriter.WriteHeader(status)
}

// Write is that of the answer; the first one means that all is well.
func (a *answered) Write(p []byte) (int, error) {
	if a.status == 0 {
		a.WriteHeader(http.StatusOK)
	}
	return a.ResponseWriter.Write(p)
}
