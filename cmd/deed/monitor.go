package main

import (
	"bytes"
	"crypto/sha256"
	"crypto/subtle"
	"encoding/json"
	"fmt"
	"log/slog"
	"net"
	"net/http"
	"os"
	"strings"
	"sync/atomic"

	"github.com/deedrun/deed"
	"github.com/deedrun/deed/api/wire"
)

// monitor answers whoever watches a role. Probes need no token and learn nothing
// else; who scrapes has to show the token, if there is one.
type monitor struct {
	metrics   *deed.Metrics
	tokenFile string // "": none is asked for
	log       *slog.Logger

	// probe answers probes in its place, if it is set: the API of a server does.
	probe http.Handler

	state atomic.Pointer[func() error] // nil: there is nothing behind it yet
}

// follow says how the role is while there is something behind it.
func (m *monitor) follow(state func() error) (end func()) {
	m.state.Store(&state)
	return func() { m.state.CompareAndSwap(&state, nil) }
}

func (m *monitor) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	w.Header().Set("X-Content-Type-Options", "nosniff")
	w.Header().Set("Cache-Control", "no-store")
	switch {
	case r.Method != http.MethodGet && r.Method != http.MethodHead:
		w.Header().Set("Allow", "GET, HEAD")
		refuse(w, http.StatusMethodNotAllowed, wire.CodeMethod, "only GET is answered here")
	case (r.URL.Path == "/healthz" || r.URL.Path == "/readyz") && m.probe != nil:
		m.probe.ServeHTTP(w, r)
	case r.URL.Path == "/healthz":
		well(w)
	case r.URL.Path == "/readyz":
		if err := m.ready(); err != nil {
			refuse(w, http.StatusServiceUnavailable, wire.CodeUnavailable, err.Error())
			return
		}
		well(w)
	case r.URL.Path == "/metrics":
		m.scrape(w, r)
	default:
		refuse(w, http.StatusNotFound, wire.CodeNotFound, "there is nothing at this address; /metrics, /healthz and /readyz are all there is")
	}
}

func (m *monitor) ready() error {
	state := m.state.Load()
	if state == nil {
		return fmt.Errorf("it waits for its server")
	}
	return (*state)()
}

// scrape tells what is measured. Without a token only what names this machine is
// answered: a page in a browser here could give it another name.
func (m *monitor) scrape(w http.ResponseWriter, r *http.Request) {
	if m.tokenFile == "" {
		host := r.Host
		if h, _, err := net.SplitHostPort(host); err == nil {
			host = h
		}
		if !isThisMachine(strings.Trim(host, "[]")) {
			refuse(w, http.StatusMisdirectedRequest, wire.CodeForeign, "metrics are told to requests for localhost alone, as long as no --metrics-token-file is given")
			return
		}
		m.metrics.Handler().ServeHTTP(w, r)
		return
	}
	token, err := m.token()
	if err != nil {
		m.log.Error("metrics are not told", "error", err)
		refuse(w, http.StatusServiceUnavailable, wire.CodeUnavailable, "the token that is asked for cannot be read; the log says why")
		return
	}
	shown, bearer := strings.CutPrefix(r.Header.Get("Authorization"), "Bearer ")
	is, want := sha256.Sum256([]byte(strings.TrimSpace(shown))), sha256.Sum256(token)
	if !bearer || subtle.ConstantTimeCompare(is[:], want[:]) != 1 {
		w.Header().Set("WWW-Authenticate", `Bearer realm="deed"`)
		refuse(w, http.StatusUnauthorized, wire.CodeUnauthorized, "metrics are told to whoever shows the token: send `Authorization: Bearer TOKEN`")
		return
	}
	m.metrics.Handler().ServeHTTP(w, r)
}

// shortestToken keeps a token from being guessed, or empty.
const shortestToken = 16

// token reads the token, each time anew: a mounted secret changes. nil: none is
// asked for.
func (m *monitor) token() ([]byte, error) {
	if m.tokenFile == "" {
		return nil, nil
	}
	content, err := os.ReadFile(m.tokenFile)
	if err != nil {
		return nil, usagef("--metrics-token-file: %w", err)
	}
	token := bytes.TrimSpace(content)
	if len(token) < shortestToken {
		return nil, usagef("--metrics-token-file %s: a token of %d bytes can be guessed: let it have %d or more, such as those of `openssl rand -hex 32`", m.tokenFile, len(token), shortestToken)
	}
	return token, nil
}

func well(w http.ResponseWriter) {
	w.Header().Set("Content-Type", "application/json")
	_ = json.NewEncoder(w).Encode(wire.Health{Status: "ok"}) // who does not read does not matter
}

func refuse(w http.ResponseWriter, status int, code, detail string) {
	w.Header().Set("Content-Type", wire.ProblemType)
	w.WriteHeader(status)
	_ = json.NewEncoder(w).Encode(wire.Problem{Title: http.StatusText(status), Status: status, Code: code, Detail: detail})
}
