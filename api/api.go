// Package api is the HTTP API of a deed server: to submit processes, read and
// watch them, supervise them, and look after what is stored. Its requests and
// answers are those of package api/wire, package api/client speaks it from Go,
// and GET /v1/openapi.json describes it.
//
// It has no state of its own: whatever it answers comes from the event store,
// the blob store or an orchestrator, so that any number of servers may stand
// beside each other, and each may be asked about everything. What changes a
// process is a command, and counts once however often it is sent.
//
// Who asks is who shows a token, or, at an address that nobody but this machine
// can reach, anybody. Every address says which role it needs, and to a token
// that is for the processes of some definitions the others do not exist. What a
// web page could make a browser of this machine send is refused.
package api

import (
	"cmp"
	"log/slog"
	"net/http"
	"time"

	"github.com/danielgtaylor/huma/v2"
	"github.com/danielgtaylor/huma/v2/adapters/humago"

	"github.com/deedrun/deed"
	"github.com/deedrun/deed/internal/access"
	"github.com/deedrun/deed/internal/upkeep"
)

// Options are what an API stands on.
type Options struct {
	// Runtime has the stores, and the way to those who orchestrate.
	Runtime *deed.Runtime

	// Version is that of the binary.
	Version string

	Log *slog.Logger // nil: slog.Default

	// Beat is how often a stream that has nothing to say says that it is still
	// there. 0: 10 s. Clients count one as gone after several.
	Beat time.Duration

	// Access knows tokens beside those that are issued here, such as an
	// *access.File; nil: there are no others.
	Access access.Authenticator

	// RequireToken asks everybody for a token. Else whoever comes to an address
	// that only this machine can reach needs none, and may do everything.
	RequireToken bool

	// Hosts reports whether requests for a host, as they name it, are answered
	// beside those for this machine (localhost, 127.0.0.1); nil: none are.
	Hosts func(host string) bool

	// Metrics counts what is asked, and is told at /metrics; nil: nothing is.
	Metrics *deed.Metrics

	// Streams are how many watches and feeds may be open at a time, half of them
	// with one token; 0: 1,024.
	Streams int

	// AnswerWithin is how long the orchestrator has for an answer. 0: 30 s.
	AnswerWithin time.Duration
}

// server answers requests.
type server struct {
	*deed.Runtime
	options Options
	log     *slog.Logger
	upkeep  upkeep.Upkeep
	names   definitionNames
	ready   readiness
	tokens  *access.Tokens
	doubt   doubt
	seats   *seats
}

// New is the handler of the API.
func New(o Options) http.Handler {
	o.Log = cmp.Or(o.Log, slog.Default())
	o.Beat = cmp.Or(o.Beat, 10*time.Second)
	o.AnswerWithin = cmp.Or(o.AnswerWithin, 30*time.Second)
	tokens := access.NewTokens(o.Runtime.Events, nil)
	s := &server{
		Runtime: o.Runtime, options: o, log: o.Log,
		upkeep: upkeep.Here(o.Runtime, tokens),
		tokens: tokens,
		seats:  newSeats(cmp.Or(o.Streams, 1024)),
	}
	mux := http.NewServeMux()
	config := huma.DefaultConfig("deed", cmp.Or(o.Version, "(devel)"))
	config.Info.Description = "Submit, read, watch and supervise processes. Problems are application/problem+json with a stable code."
	config.OpenAPIPath, config.DocsPath, config.SchemasPath = "", "", "" // see describe
	config.CreateHooks = nil                                             // no links to schemas in answers
	config.Transformers = []huma.Transformer{asProblem, patiently}
	config.Components.SecuritySchemes = map[string]*huma.SecurityScheme{
		schemeName: {Type: "http", Scheme: "bearer", Description: "A token of `deed auth token create`. Who comes from the machine of a server that listens there alone needs none."},
	}
	routes := &routes{server: s, mux: mux, api: humago.New(mux, config), needs: map[string]need{}}
	routes.health()
	routes.processes()
	routes.supervision()
	routes.outputs()
	routes.streams()
	routes.blobs()
	routes.orchestration()
	routes.archives()
	routes.upkeep()
	routes.doctor()
	routes.metrics()
	routes.access()
	routes.describe()
	return s.measured(mux, s.remembering(s.door(mux, routes.needs)))
}
