package api

import (
	"errors"
	"fmt"
	"mime"
	"net"
	"net/http"
	"net/netip"
	"runtime/debug"
	"strings"

	"github.com/deedrun/deed/api/wire"
)

// door is what every request goes through. It refuses what was made for another
// host, which a page that rebinds its name could do, what a page of another site
// can send without asking, who may not ask it, and what is larger than is read.
func (s *server) door(inside *http.ServeMux, needs map[string]need) http.Handler {
	sites := http.NewCrossOriginProtection()
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		defer s.survive(w, r)
		h := w.Header()
		h.Set("X-Content-Type-Options", "nosniff")
		h.Set("Cache-Control", "no-store")
		waitForBody(w, r, readWithin)
		_, pattern := inside.Handler(r)
		r, p := s.enter(w, r, sites, pattern, needOf(needs, pattern))
		if p != nil {
			writeProblem(w, r, p)
			return
		}
		if pattern == "" {
			s.astray(w, r, inside)
			return
		}
		s.traced(w, r, pattern, inside)
	})
}

// enter is the request of who may come in with it, in the context of who that
// is, with its body read if that is JSON. Of who may not, nothing is read, nor of
// who sends a probe, which may be anybody.
func (s *server) enter(w http.ResponseWriter, r *http.Request, sites *http.CrossOriginProtection, pattern string, n need) (*http.Request, *wire.Problem) {
	if p := s.admit(sites, r, n); p != nil {
		return r, p
	}
	if n == anybody {
		return r, nil
	}
	ctx, p := s.pass(r, n)
	if p == nil {
		r = r.WithContext(ctx)
		p = checkForm(r, pattern)
	}
	if p == nil {
		p = readJSON(w, r)
	}
	return r, p
}

// streamed are the addresses that take bytes, and read them piece by piece. At
// any other they would be read whole into memory, however many there are.
var streamed = map[string]bool{storesBlob: true, importsArchive: true, "": true} // "": nothing reads them

const (
	storesBlob     = http.MethodPut + " /v1/blobs/{key...}"
	importsArchive = http.MethodPost + " /v1/archives"
)

// admit says what is wrong with where a request comes from, or goes to. Probes
// name whatever host they like, and learn nothing else.
func (s *server) admit(sites *http.CrossOriginProtection, r *http.Request, n need) *wire.Problem {
	if n != anybody && !s.answersFor(r.Host) {
		return newProblem(http.StatusMisdirectedRequest, wire.CodeForeign,
			"this server answers requests for localhost, and for the names in its certificate if it has one, not for %q: name it as it is named there, or reach it through an SSH tunnel", r.Host)
	}
	if err := sites.Check(r); err != nil {
		return newProblem(http.StatusForbidden, wire.CodeForeign, "a page of another site cannot change anything here: %v", err)
	}
	return nil
}

// checkForm says what is wrong with an address, or with how a body is sent.
func checkForm(r *http.Request, pattern string) *wire.Problem {
	if len(r.URL.Path) > mostPath || len(r.URL.RawQuery) > mostPath {
		return newProblem(http.StatusRequestURITooLong, wire.CodeTooLarge, "the address has more than %d bytes", mostPath)
	}
	for segment := range strings.SplitSeq(strings.TrimPrefix(r.URL.EscapedPath(), "/"), "/") {
		if segment == "" && r.URL.Path != "/" || segment == "." || segment == ".." {
			return newProblem(http.StatusBadRequest, wire.CodeInvalid, "the address %q has a segment that is empty, or leads elsewhere", r.URL.Path)
		}
	}
	if r.Method != http.MethodPost && r.Method != http.MethodPut || r.Method == http.MethodPut && r.ContentLength == 0 {
		return nil
	}
	media, _, err := mime.ParseMediaType(r.Header.Get("Content-Type"))
	if err == nil && (media == mediaJSON || media == mediaBytes && streamed[pattern]) {
		return nil
	}
	return newProblem(http.StatusUnsupportedMediaType, wire.CodeMediaType,
		"the body is %q: send %s, or, where content is stored, %s", r.Header.Get("Content-Type"), mediaJSON, mediaBytes)
}

const (
	mediaJSON  = "application/json"
	mediaBytes = "application/octet-stream"
	mostPath   = 8 << 10
)

// answersFor reports whether a request for this host is meant for this server.
func (s *server) answersFor(host string) bool {
	return isLocal(host) || s.options.Hosts != nil && s.options.Hosts(nameOfHost(host))
}

// isLocal reports whether a host is this machine by its name alone.
func isLocal(host string) bool {
	name := nameOfHost(host)
	if strings.EqualFold(name, "localhost") {
		return true
	}
	ip, err := netip.ParseAddr(name)
	return err == nil && ip.IsLoopback()
}

// nameOfHost is a host without its port, and an address without its brackets.
func nameOfHost(host string) string {
	if name, _, err := net.SplitHostPort(host); err == nil {
		return name
	}
	return strings.TrimSuffix(strings.TrimPrefix(host, "["), "]")
}

// astray answers what has no address here, in the form of all problems. What
// the mux has found out, such as which methods are known, stays.
func (s *server) astray(w http.ResponseWriter, r *http.Request, inside *http.ServeMux) {
	found := &statusOnly{header: http.Header{}}
	inside.ServeHTTP(found, r)
	if allow := found.header.Get("Allow"); allow != "" {
		w.Header().Set("Allow", allow)
		writeProblem(w, r, newProblem(http.StatusMethodNotAllowed, wire.CodeMethod, "%s is not for %s; it takes %s", r.URL.Path, r.Method, allow))
		return
	}
	writeProblem(w, r, newProblem(http.StatusNotFound, wire.CodeNotFound, "there is nothing at %s; /v1/openapi.json says what there is", r.URL.Path))
}

// statusOnly hears an answer without giving it.
type statusOnly struct{ header http.Header }

func (s *statusOnly) Header() http.Header         { return s.header }
func (s *statusOnly) Write(p []byte) (int, error) { return len(p), nil }
func (s *statusOnly) WriteHeader(int)             {}

// survive keeps a fault of the server in one request from ending the others.
func (s *server) survive(w http.ResponseWriter, r *http.Request) {
	fault := recover()
	if fault == nil {
		return
	}
	if err, ok := fault.(error); ok && errors.Is(err, http.ErrAbortHandler) {
		panic(fault) // how an answer is cut off on purpose
	}
	if r.Context().Err() != nil {
		return // nobody was there any more to be answered, which huma takes for a fault
	}
	s.log.Error("api: a fault of the server", "request", r.Method+" "+r.URL.Path, "fault", fmt.Sprint(fault), "stack", string(debug.Stack()))
	writeProblem(w, r, newProblem(http.StatusInternalServerError, wire.CodeInternal, "a fault of the server; its log says where"))
}
