package api_test

import (
	"context"
	"crypto/tls"
	"io"
	"net"
	"net/http"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/deedrun/deed/internal/tlstest"
)

// drops gives a byte a second.
type drops struct{}

func (drops) Read(b []byte) (int, error) {
	time.Sleep(time.Second)
	b[0] = ' '
	return 1, nil
}

func TestWhoDribblesOverHTTP2IsNotWaitedFor(t *testing.T) {
	authority, now := tlstest.New(t), time.Now() // that of the test is another
	cert, key := authority.Issue(t, t.TempDir(), nextYear(), "localhost")
	pair, err := tls.LoadX509KeyPair(cert, key)
	require.NoError(t, err)
	server := &tls.Config{Certificates: []tls.Certificate{pair}, NextProtos: []string{"h2"}, MinVersion: tls.VersionTLS12}
	visitor := &tls.Config{RootCAs: authority.Roots(), NextProtos: []string{"h2"}, ServerName: "localhost", MinVersion: tls.VersionTLS12, Time: func() time.Time { return now }}
	synctest.Test(t, func(t *testing.T) {
		dribbled(t, func(l net.Listener) net.Listener { return tls.NewListener(l, server) }, func(t *testing.T, dial func() net.Conn) {
			transport := &http.Transport{ForceAttemptHTTP2: true, DialTLSContext: func(ctx context.Context, _, _ string) (net.Conn, error) {
				conn := tls.Client(dial(), visitor)
				return conn, conn.HandshakeContext(ctx)
			}}
			defer transport.CloseIdleConnections()
			for token, status := range map[string]int{"": http.StatusUnauthorized, "viewer": http.StatusForbidden, "operator": http.StatusRequestTimeout} {
				began := time.Now()
				req, err := http.NewRequestWithContext(t.Context(), http.MethodPost, "https://localhost/v1/processes", io.LimitReader(drops{}, 4000))
				require.NoError(t, err)
				req.Header.Set("Content-Type", "application/json")
				req.Header.Set("Authorization", "Bearer "+token)
				resp, err := transport.RoundTrip(req)
				require.NoError(t, err)
				require.Equal(t, 2, resp.ProtoMajor)
				require.Equal(t, status, resp.StatusCode, token)
				_, err = io.Copy(io.Discard, resp.Body)
				require.NoError(t, err)
				require.NoError(t, resp.Body.Close())
				require.Less(t, time.Since(began), 20*time.Second, "with the token %q", token)
			}
		})
	})
}
