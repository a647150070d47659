package api_test

import (
	"bufio"
	"context"
	"errors"
	"io"
	"log/slog"
	"net"
	"net/http"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/deedrun/deed"
	"github.com/deedrun/deed/api"
	"github.com/deedrun/deed/blob"
	"github.com/deedrun/deed/events"
	"github.com/deedrun/deed/events/mem"
	"github.com/deedrun/deed/orchestrator"
)

// pipes is a listener whose connections are pipes of this process, so that their
// time is that of the test.
type pipes struct {
	conns  chan net.Conn
	closed chan struct{}
}

func (p *pipes) Accept() (net.Conn, error) {
	select {
	case conn := <-p.conns:
		return conn, nil
	case <-p.closed:
		return nil, net.ErrClosed
	}
}

func (p *pipes) Close() error { close(p.closed); return nil }

func (p *pipes) Addr() net.Addr { return &net.TCPAddr{IP: net.IPv4(192, 0, 2, 1), Port: 8420} }

func (p *pipes) dial() net.Conn {
	here, there := net.Pipe()
	p.conns <- there
	return here
}

// dribbling serves in a time that passes as fast as nothing happens.
func dribbling(t *testing.T, knock func(t *testing.T, dial func() net.Conn)) {
	t.Helper()
	synctest.Test(t, func(t *testing.T) {
		dribbled(t, func(l net.Listener) net.Listener { return l }, knock)
	})
}

// dribbled serves in the time of the test, over what is made of a listener.
func dribbled(t *testing.T, over func(net.Listener) net.Listener, knock func(t *testing.T, dial func() net.Conn)) {
	t.Helper()
	blobs, err := blob.Open(t.Context(), "mem://")
	require.NoError(t, err)
	defer blobs.Close()
	r := &deed.Runtime{Client: &orchestrator.Client{Events: events.New(mem.New()), Via: nobody{}}, Blobs: blobs}
	l := &pipes{conns: make(chan net.Conn), closed: make(chan struct{})}
	log := slog.New(slog.DiscardHandler)
	ctx, leave := context.WithCancel(t.Context())
	served := make(chan error, 1)
	go func() {
		served <- api.Serve(ctx, over(l), api.New(api.Options{Runtime: r, Log: log, Access: invited()}), log)
	}()
	knock(t, l.dial)
	leave()
	require.NoError(t, <-served)
}

// dribble sends a byte a second until nobody reads any more, and says how long
// that took and what was answered.
func dribble(t *testing.T, conn net.Conn, once, slowly string) (took time.Duration, answered string) {
	t.Helper()
	defer conn.Close()
	answers := make(chan string, 1)
	go func() {
		all, _ := io.ReadAll(conn) // to where it is cut off
		answers <- string(all)
	}()
	began := time.Now()
	_, err := io.WriteString(conn, once)
	require.NoError(t, err)
	for i := 0; err == nil; i++ {
		time.Sleep(time.Second)
		_, err = conn.Write([]byte{slowly[i%len(slowly)]})
	}
	return time.Since(began), <-answers
}

func TestWhoDribblesItsHeadersIsNotWaitedFor(t *testing.T) {
	dribbling(t, func(t *testing.T, dial func() net.Conn) {
		for _, once := range []string{"G", "GET /v1/version HTTP/1.1\r\nHost: localhost\r\nX-Slow: "} {
			took, _ := dribble(t, dial(), once, "x")
			require.InDelta(t, 10, took.Seconds(), 2, "%.20s", once)
		}
	})
}

func TestWhoDribblesABodyIsNotWaitedFor(t *testing.T) {
	dribbling(t, func(t *testing.T, dial func() net.Conn) {
		took, answered := dribble(t, dial(), "POST /v1/processes HTTP/1.1\r\nHost: localhost\r\n"+shows("operator")+
			"\r\nContent-Type: application/json\r\nContent-Length: 4000\r\n\r\n{", " ")
		require.InDelta(t, 15, took.Seconds(), 3)
		require.Contains(t, answered, "408 Request Timeout")
	})
}

func TestWhoDribblesWithoutATokenIsNotEvenReadFrom(t *testing.T) {
	dribbling(t, func(t *testing.T, dial func() net.Conn) {
		for _, line := range []string{"POST /v1/processes", "PUT /v1/blobs/sha256/aa/" + strings.Repeat("a", 62)} {
			took, answered := dribble(t, dial(), line+" HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/octet-stream\r\nContent-Length: 4000\r\n\r\nx", "x")
			require.Contains(t, answered, "HTTP/1.1 401 ", line)
			require.InDelta(t, 15, took.Seconds(), 3, line)
		}
	})
}

func TestWhoStopsInTheMiddleOfABlobIsNotWaitedFor(t *testing.T) {
	dribbling(t, func(t *testing.T, dial func() net.Conn) {
		conn := dial()
		defer conn.Close()
		began := time.Now()
		go func() {
			_, _ = io.WriteString(conn, "PUT /v1/blobs/sha256/aa/"+strings.Repeat("a", 62)+" HTTP/1.1\r\nHost: localhost\r\n"+shows("operator")+
				"\r\nContent-Type: application/octet-stream\r\nContent-Length: 4000\r\n\r\nsome, and then no more")
		}()
		resp, err := http.ReadResponse(bufio.NewReader(conn), nil)
		if err == nil {
			require.GreaterOrEqual(t, resp.StatusCode, 400)
			require.NoError(t, resp.Body.Close())
		} else {
			require.True(t, errors.Is(err, io.EOF) || errors.Is(err, io.ErrUnexpectedEOF), "%v", err)
		}
		require.InDelta(t, 60, time.Since(began).Seconds(), 5)
	})
}

func TestWhoSaysNothingIsNotWaitedFor(t *testing.T) {
	dribbling(t, func(t *testing.T, dial func() net.Conn) {
		conn := dial()
		defer conn.Close()
		began := time.Now()
		_, err := io.ReadAll(conn)
		require.NoError(t, err)
		require.InDelta(t, 10, time.Since(began).Seconds(), 2)
	})
}
