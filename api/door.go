package api

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"mime"
	"net"
	"net/http"
	"net/netip"
	"runtime/debug"
	"strings"
	"time"

	"github.com/deedrun/deed/api/wire"
)

// How much of a request is read, and for how long. Content of blobs and archives
// is streamed: for those the time counts from one piece to the next.
const (
	mostJSON    = 4 << 20
	mostText    = 1 << 20 // of a definition, or of a command
	readWithin  = 15 * time.Second
	pieceWithin = time.Minute
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
		_, pattern := inside.Handler(r)
		n := needOf(needs, pattern)
		p := s.admit(sites, r, pattern, n)
		if p == nil {
			var ctx context.Context
			if ctx, p = s.pass(r, n); p == nil {
				r = r.WithContext(ctx)
				p = readJSON(w, r)
			}
		}
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

// streamed are the addresses that take bytes, and read them piece by piece. At
// any other they would be read whole into memory, however many there are.
var streamed = map[string]bool{storesBlob: true, importsArchive: true, "": true} // "": nothing reads them

const (
	storesBlob     = http.MethodPut + " /v1/blobs/{key...}"
	importsArchive = http.MethodPost + " /v1/archives"
)

// admit says what is wrong with where a request comes from, or goes to. Probes
// name whatever host they like, and learn nothing else.
func (s *server) admit(sites *http.CrossOriginProtection, r *http.Request, pattern string, n need) *wire.Problem {
	if n != anybody && !s.answersFor(r.Host) {
		return newProblem(http.StatusMisdirectedRequest, wire.CodeForeign,
			"this server answers requests for localhost, and for the names in its certificate if it has one, not for %q: name it as it is named there, or reach it through an SSH tunnel", r.Host)
	}
	if err := sites.Check(r); err != nil {
		return newProblem(http.StatusForbidden, wire.CodeForeign, "a page of another site cannot change anything here: %v", err)
	}
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

// readJSON reads a body of JSON whole, in bounded time, so that no handler waits
// for the rest of one.
func readJSON(w http.ResponseWriter, r *http.Request) *wire.Problem {
	media, _, _ := mime.ParseMediaType(r.Header.Get("Content-Type"))
	if r.Body == nil || r.Body == http.NoBody || media == mediaBytes {
		return nil
	}
	conn := http.NewResponseController(w)
	_ = conn.SetReadDeadline(time.Now().Add(readWithin)) // not every connection of a test has one
	data, err := io.ReadAll(http.MaxBytesReader(w, r.Body, mostJSON))
	_ = conn.SetReadDeadline(time.Time{}) // else it would end the wait for an answer
	var tooLarge *http.MaxBytesError
	switch {
	case errors.As(err, &tooLarge):
		return newProblem(http.StatusRequestEntityTooLarge, wire.CodeTooLarge, "the body is larger than the %d bytes that are read here; large inputs are stored first, by PUT /v1/blobs/KEY", tooLarge.Limit)
	case err != nil:
		return newProblem(http.StatusRequestTimeout, wire.CodeInvalid, "the body did not come whole within %s: %v", readWithin, err)
	}
	r.Body, r.ContentLength = io.NopCloser(bytes.NewReader(data)), int64(len(data))
	return nil
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

// pieces reads a body that may be long: the time counts from one piece to the next.
type pieces struct {
	io.Reader
	conn *http.ResponseController
}

func piecesOf(w http.ResponseWriter, r *http.Request) *pieces {
	return &pieces{Reader: r.Body, conn: http.NewResponseController(w)}
}

func (p *pieces) Read(b []byte) (int, error) {
	_ = p.conn.SetReadDeadline(time.Now().Add(pieceWithin)) // not every connection of a test has one
	n, err := p.Reader.Read(b)
	if err != nil {
		_ = p.conn.SetReadDeadline(time.Time{})
	}
	return n, err
}
