package api

import (
	"cmp"
	"context"
	"errors"
	"net/http"
	"runtime"

	"github.com/deedrun/deed/api/wire"
)

// health is for whoever starts and watches the server.
func (r *routes) health() {
	route(r, anybody, http.MethodGet, "/healthz", "Is this server alive?", r.alive)
	route(r, anybody, http.MethodGet, "/readyz", "Can it be worked with: is everything orchestrated, and the event store there?", r.isReady)
	route(r, viewer, http.MethodGet, "/v1/version", "The version of this server", r.version)
}

func (s *server) alive(context.Context, *struct{}) (*body[wire.Health], error) {
	return &body[wire.Health]{wire.Health{Status: "ok"}}, nil
}

func (s *server) isReady(ctx context.Context, _ *struct{}) (*body[wire.Health], error) {
	err := s.ready.of(func() error { return s.lookReady(ctx) })
	if err == nil {
		return &body[wire.Health]{wire.Health{Status: "ok"}}, nil
	}
	if errors.Is(err, errNoAnswer) { // not a gateway's time-out: nothing was asked of anybody
		return nil, newProblem(http.StatusServiceUnavailable, wire.CodeUnavailable, "%v", err)
	}
	s.log.Debug("api: not ready", "error", err) // it names addresses, which not everybody has to know
	return nil, newProblem(http.StatusServiceUnavailable, wire.CodeUnavailable, "the orchestrators or the event store cannot be reached right now")
}

func (s *server) version(context.Context, *struct{}) (*body[wire.Version], error) {
	return &body[wire.Version]{wire.Version{
		Version: cmp.Or(s.options.Version, "(devel)"), Go: runtime.Version(), Platform: runtime.GOOS + "/" + runtime.GOARCH,
	}}, nil
}
