package natsconn_test

import (
	"context"
	"errors"
	"net"
	"strings"
	"testing"
	"time"

	"github.com/nats-io/nats.go"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/deedrun/deed/internal/natsconn"
)

func TestConnect(t *testing.T) {
	t.Run("nobody there: the error names the address and asks the right question", func(t *testing.T) {
		_, err := natsconn.Connect(t.Context(), "nats://127.0.0.1:1", "", natsconn.ConnOptions{})
		require.ErrorIs(t, err, nats.ErrNoServers)
		assert.ErrorContains(t, err, `"nats://127.0.0.1:1"`)
		assert.ErrorContains(t, err, "is a server running there")
	})

	t.Run("an error shows neither users nor passwords", func(t *testing.T) {
		for _, url := range []string{"nats://ada:secret@127.0.0.1:1", "nats://secret@127.0.0.1:1", "nats://a:secret@127.0.0.1:1,nats://b:secret@127.0.0.1:1", "nats://ada:secret@127.0.0.1:port"} {
			_, err := natsconn.Connect(t.Context(), url, "", natsconn.ConnOptions{})
			require.ErrorContains(t, err, "…@127.0.0.1")
			require.NotContains(t, err.Error(), "secret")
		}
	})

	t.Run("a wrong token is told from an absent server", func(t *testing.T) {
		s := start(t, natsconn.ServerOptions{Token: "right"})
		_, err := natsconn.Connect(t.Context(), s.URL(), "wrong", natsconn.ConnOptions{})
		require.ErrorIs(t, err, nats.ErrAuthorization)
		assert.ErrorContains(t, err, "the server wants a token")
	})

	t.Run("a context that ends stops waiting for a server that accepts and says nothing", func(t *testing.T) {
		silent, err := net.Listen("tcp", "127.0.0.1:0")
		require.NoError(t, err)
		accepted := make(chan net.Conn, 1)
		go func() {
			if c, err := silent.Accept(); err == nil {
				accepted <- c
			}
		}()
		ctx, cancel := context.WithCancelCause(t.Context())
		failed := make(chan error, 1)
		go func() {
			_, err := natsconn.Connect(ctx, "nats://"+silent.Addr().String(), "", natsconn.ConnOptions{})
			failed <- err
		}()
		c := <-accepted
		cancel(errors.New("enough"))
		assert.ErrorIs(t, <-failed, context.Canceled)
		c.Close()
		silent.Close()
	})

	t.Run("a connection comes back when its server does", func(t *testing.T) {
		dir := t.TempDir()
		s := start(t, natsconn.ServerOptions{Dir: dir})
		nc, err := natsconn.Connect(t.Context(), s.URL(), s.Token(), natsconn.ConnOptions{})
		require.NoError(t, err)
		defer nc.Close()
		lost, back := nc.StatusChanged(nats.RECONNECTING), nc.StatusChanged(nats.CONNECTED)
		listen, token := strings.TrimPrefix(s.URL(), "nats://"), s.Token()
		s.Close()
		<-lost
		assert.Error(t, nc.Publish("a", []byte("while it is away")), "nothing is kept back and sent late")
		start(t, natsconn.ServerOptions{Dir: dir, Listen: listen, Token: token})
		<-back
		assert.NoError(t, nc.FlushTimeout(5*time.Second))
	})

	t.Run("an address is preferred while nobody else has it", func(t *testing.T) {
		first := start(t, natsconn.ServerOptions{})
		address := strings.TrimPrefix(first.URL(), "nats://")
		assert.NotEqual(t, first.URL(), start(t, natsconn.ServerOptions{Prefer: address}).URL())
		first.Close()
		assert.Equal(t, first.URL(), start(t, natsconn.ServerOptions{Prefer: address}).URL())
		start(t, natsconn.ServerOptions{Prefer: "nowhere"}) // what cannot be listened on is not free
	})
}
