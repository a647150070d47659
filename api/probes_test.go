package api_test

import (
	"context"
	"log/slog"
	"net"
	"testing"
	"testing/synctest"

	"github.com/stretchr/testify/require"

	"github.com/deedrun/deed/api"
)

// Nobody has to show a token for a probe. So nothing that comes with it is kept.
func TestWhatAProbeCarriesIsNotRead(t *testing.T) {
	dribbling(t, func(t *testing.T, dial func() net.Conn) {
		for _, path := range []string{"/healthz", "/readyz"} {
			took, answered := dribble(t, dial(), "GET "+path+" HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\nContent-Length: 4000000\r\n\r\n{", " ")
			require.NotContains(t, answered, "408", path)
			require.Contains(t, answered, "HTTP/1.1 ")
			require.LessOrEqual(t, took.Seconds(), 20.0)
		}
	})
}

func TestAServerThatWaitsForItsStoresIsAliveAndWaitsForNobodyElse(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		l := &pipes{conns: make(chan net.Conn), closed: make(chan struct{})}
		ctx, leave := context.WithCancel(t.Context())
		served := make(chan error, 1)
		go func() { served <- api.Serve(ctx, l, api.Away(), slog.New(slog.DiscardHandler)) }()
		for line, status := range map[string]string{"GET /healthz": "200", "HEAD /healthz": "200", "GET /readyz": "503", "POST /v1/processes": "503"} {
			took, answered := dribble(t, l.dial(), line+" HTTP/1.1\r\nHost: localhost\r\nContent-Length: 4000\r\n\r\n", "x")
			require.Contains(t, answered, "HTTP/1.1 "+status, line)
			require.InDelta(t, 15, took.Seconds(), 3, line)
		}
		leave()
		require.NoError(t, <-served)
	})
}
