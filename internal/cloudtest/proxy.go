package cloudtest

import (
	"io"
	"math/rand/v2"
	"net"
	"net/http"
	"net/url"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

// Fault is one thing that goes wrong with a request.
type Fault int

// The faults.
const (
	None       Fault = iota
	Refused          // 503, and the server never hears of the request
	Forgotten        // 500, though the server did it
	Unanswered       // the server did it, the connection ends without a word
	CutRequest       // the connection ends after half of the body, towards both
	CutAnswer        // the connection ends after half of the body of the answer
	Slow             // the answer comes late, and in small pieces
	faults     = iota
)

var faultNames = [...]string{"none", "refused", "forgotten", "unanswered", "cut request", "cut answer", "slow"}

func (f Fault) String() string { return faultNames[f] }

// Proxy passes requests to a server, not all of them well.
type Proxy struct {
	target  string
	own     string
	signed  bool
	choose  func(*http.Request) Fault
	forward http.RoundTripper

	mu   sync.Mutex
	done map[Fault]int
}

// Behind is the server as clients see it that have to go through a proxy, which
// asks choose what happens to a request; nil: each fault with a chance of 1 in
// 60, a tenth of all requests. The test's environment leads there from now on.
func (s *Server) Behind(t testing.TB, choose func(*http.Request) Fault) (*Server, *Proxy) {
	t.Helper()
	if choose == nil {
		seed := rand.Uint64()
		t.Logf("faults are those of seed %d", seed)
		choose = anyFault(rand.New(rand.NewPCG(seed, 0)))
	}
	l, err := net.Listen("tcp", "127.0.0.1:0")
	require.NoError(t, err)
	transport := &http.Transport{MaxIdleConnsPerHost: 64, DisableCompression: true}
	p := &Proxy{target: s.real, own: l.Addr().String(), signed: s.signed, choose: choose, forward: transport, done: map[Fault]int{}}
	server := &http.Server{Handler: p}
	ended := make(chan struct{})
	go func() { _ = server.Serve(l); close(ended) }()
	t.Cleanup(func() {
		_ = server.Close()
		<-ended
		transport.CloseIdleConnections()
	})
	behind := *s
	behind.at = p.own
	behind.setenv(t)
	return &behind, p
}

func anyFault(random *rand.Rand) func(*http.Request) Fault {
	var mu sync.Mutex
	return func(*http.Request) Fault {
		mu.Lock()
		defer mu.Unlock()
		if n := random.IntN(60); n > int(None) && n < faults {
			return Fault(n)
		}
		return None
	}
}

// Done is how often each fault happened.
func (p *Proxy) Done() map[Fault]int {
	p.mu.Lock()
	defer p.mu.Unlock()
	done := map[Fault]int{}
	for f, n := range p.done {
		done[f] = n
	}
	return done
}

func (p *Proxy) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	fault := p.choose(r)
	p.mu.Lock()
	p.done[fault]++
	p.mu.Unlock()
	switch fault {
	case Refused:
		_, _ = io.Copy(io.Discard, r.Body)
		http.Error(w, "refused by the proxy", http.StatusServiceUnavailable)
		return
	case CutRequest:
		r.Body = io.NopCloser(&cut{r: r.Body, left: r.ContentLength / 2})
	}
	resp, err := p.forward.RoundTrip(p.outgoing(r))
	if err != nil || fault == CutRequest {
		if err == nil {
			_ = resp.Body.Close()
		}
		hangUp()
	}
	defer resp.Body.Close()
	switch fault {
	case Forgotten:
		http.Error(w, "forgotten by the proxy", http.StatusInternalServerError)
		return
	case Unanswered:
		hangUp()
	}
	p.answer(w, resp, fault)
}

// outgoing is the request as the server gets it, its path untouched: a signature
// is over its bytes, and over the host to which the client believes to speak.
func (p *Proxy) outgoing(r *http.Request) *http.Request {
	out := r.Clone(r.Context())
	path, _, _ := strings.Cut(r.RequestURI, "?")
	out.RequestURI = ""
	out.URL = &url.URL{Scheme: "http", Host: p.target, Opaque: "//" + p.target + path, RawQuery: r.URL.RawQuery}
	if !p.signed {
		out.Host = p.target
	}
	if r.ContentLength == 0 {
		out.Body = http.NoBody
	}
	return out
}

func (p *Proxy) answer(w http.ResponseWriter, resp *http.Response, fault Fault) {
	for name, values := range resp.Header {
		for _, v := range values {
			w.Header().Add(name, strings.ReplaceAll(v, "http://"+p.target, "http://"+p.own))
		}
	}
	if fault == Slow {
		time.Sleep(50 * time.Millisecond) // what is slow, not what is waited for
	}
	w.WriteHeader(resp.StatusCode)
	switch fault {
	case CutAnswer:
		_, _ = io.CopyN(w, resp.Body, max(resp.ContentLength, 0)/2)
		_ = http.NewResponseController(w).Flush()
		hangUp()
	case Slow:
		dribble(w, resp.Body)
	default:
		if _, err := io.Copy(w, resp.Body); err != nil {
			hangUp()
		}
	}
}

// dribble sends a few small pieces, then the rest.
func dribble(w http.ResponseWriter, r io.Reader) {
	for range 5 {
		if _, err := io.CopyN(w, r, 100); err != nil {
			break
		}
		_ = http.NewResponseController(w).Flush()
		time.Sleep(10 * time.Millisecond)
	}
	if _, err := io.Copy(w, r); err != nil {
		hangUp()
	}
}

// hangUp ends the connection to the client, in the middle of whatever it is.
func hangUp() { panic(http.ErrAbortHandler) }

// cut is a body that breaks off.
type cut struct {
	r    io.Reader
	left int64
}

func (c *cut) Read(b []byte) (int, error) {
	if c.left <= 0 {
		return 0, io.ErrUnexpectedEOF
	}
	n, err := c.r.Read(b[:min(int64(len(b)), c.left)])
	c.left -= int64(n)
	return n, err
}
