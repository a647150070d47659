package api_test

import (
	"bytes"
	"encoding/json"
	"errors"
	"flag"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"go.uber.org/goleak"

	"github.com/deedrun/deed"
	"github.com/deedrun/deed/api"
	"github.com/deedrun/deed/api/client"
	"github.com/deedrun/deed/api/wire"
	"github.com/deedrun/deed/worker"
)

// TestMain lets more tests be parallel than there are cores: they wait for what
// runs once in a while.
func TestMain(m *testing.M) {
	_ = flag.Set("test.parallel", "16")
	goleak.VerifyTestMain(m)
}

// patience bounds what comes at once when it comes at all.
const patience = 20 * time.Second

// rig is a server of the API over a real runtime, and a client of it.
type rig struct {
	*testing.T
	runtime *deed.Runtime
	url     string
	client  *client.Client
	token   string // that requests show; empty: none
}

// inMemory serves a runtime that has all in memory, and works.
func inMemory(t *testing.T, handlers *worker.Registry) *rig {
	t.Helper()
	return serve(t, deed.Options{Handlers: handlers, Workers: 2})
}

func serve(t *testing.T, o deed.Options) *rig {
	t.Helper()
	o.Log = slog.New(slog.NewTextHandler(t.Output(), nil))
	r, err := deed.Open(t.Context(), o)
	require.NoError(t, err)
	t.Cleanup(r.Close)
	return over(t, r)
}

// over serves a runtime.
func over(t *testing.T, r *deed.Runtime, change ...func(*api.Options)) *rig {
	t.Helper()
	o := api.Options{
		Runtime: r, Version: "test", Log: slog.New(slog.NewTextHandler(t.Output(), nil)), Beat: 50 * time.Millisecond, AnswerWithin: 5 * time.Second,
	}
	for _, c := range change {
		c(&o)
	}
	server := httptest.NewServer(api.New(o))
	c, err := client.New(server.URL, client.Options{})
	require.NoError(t, err)
	t.Cleanup(func() {
		c.Close()
		server.Client().CloseIdleConnections()
		server.Close()
	})
	return &rig{T: t, runtime: r, url: server.URL, client: c}
}

// answer is an answer, read whole.
type answer struct {
	status int
	header http.Header
	length int64
	body   []byte
}

// do sends a request, and reads what is answered.
func (r *rig) do(method, path string, body any, header ...string) answer {
	r.Helper()
	resp := r.open(method, path, body, header...)
	data, err := io.ReadAll(resp.Body)
	require.NoError(r, errors.Join(err, resp.Body.Close()))
	return answer{resp.StatusCode, resp.Header, resp.ContentLength, data}
}

// open sends a request; a body that is no reader is sent as JSON. The body of
// the answer is the caller's to close.
func (r *rig) open(method, path string, body any, header ...string) *http.Response {
	r.Helper()
	var content io.Reader
	media := "application/json"
	switch b := body.(type) {
	case nil:
	case string:
		content = strings.NewReader(b)
	case io.Reader:
		content, media = b, "application/octet-stream"
	default:
		encoded, err := json.Marshal(body)
		require.NoError(r, err)
		content = bytes.NewReader(encoded)
	}
	req, err := http.NewRequestWithContext(r.Context(), method, r.url+path, content)
	require.NoError(r, err)
	if method != http.MethodGet {
		req.Header.Set("Content-Type", media)
	}
	if r.token != "" {
		req.Header.Set("Authorization", "Bearer "+r.token)
	}
	for i := 0; i < len(header); i += 2 {
		if header[i] == "Host" {
			req.Host = header[i+1]
			continue
		}
		req.Header.Set(header[i], header[i+1])
	}
	resp, err := http.DefaultTransport.RoundTrip(req)
	require.NoError(r, err)
	r.Cleanup(http.DefaultTransport.(*http.Transport).CloseIdleConnections)
	return resp
}

// ask sends a request that has to succeed, and reads its answer.
func (r *rig) ask(status int, into any, method, path string, body any) {
	r.Helper()
	a := r.do(method, path, body)
	require.Equal(r, status, a.status, string(a.body))
	if into != nil {
		require.NoError(r, json.Unmarshal(a.body, into), string(a.body))
	}
}

// refused sends a request that has to be refused, and reads why.
func (r *rig) refused(status int, code, method, path string, body any, header ...string) wire.Problem {
	r.Helper()
	a := r.do(method, path, body, header...)
	require.Equal(r, status, a.status, string(a.body))
	require.Equal(r, wire.ProblemType, a.header.Get("Content-Type"), string(a.body))
	var p wire.Problem
	require.NoError(r, json.Unmarshal(a.body, &p), string(a.body))
	require.Equal(r, code, p.Code, string(a.body))
	require.Equal(r, status, p.Status)
	require.NotEmpty(r, p.Detail)
	return p
}

// serveOnly serves a handler that is no API.
func serveOnly(t *testing.T, h http.Handler) string {
	t.Helper()
	server := httptest.NewServer(h)
	server.Config.ErrorLog = slog.NewLogLogger(slog.DiscardHandler, slog.LevelInfo)
	t.Cleanup(server.Close)
	return server.URL
}
