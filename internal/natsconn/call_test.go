package natsconn_test

import (
	"context"
	"testing"
	"time"

	"github.com/nats-io/nats.go"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/deedrun/deed/internal/natsconn"
)

func TestCall(t *testing.T) {
	setup := func(t *testing.T) *nats.Conn {
		s := start(t, natsconn.ServerOptions{})
		nc, err := natsconn.Connect(t.Context(), s.URL(), s.Token(), natsconn.ConnOptions{})
		require.NoError(t, err)
		t.Cleanup(nc.Close)
		return nc
	}

	t.Run("it ends when the connection is lost, also if another one takes its place at once", func(t *testing.T) {
		nc := setup(t)
		call, cancel := natsconn.Call(t.Context(), nc, time.Hour)
		defer cancel()
		require.NoError(t, call.Err())
		back := nc.StatusChanged(nats.CONNECTED)
		require.NoError(t, nc.ForceReconnect())
		<-back
		<-call.Done()
		assert.Equal(t, context.Canceled, call.Err())
		assert.Equal(t, nats.ErrDisconnected, context.Cause(call))
	})

	t.Run("it ends after its time, and with the context it was made of", func(t *testing.T) {
		nc := setup(t)
		call, cancel := natsconn.Call(t.Context(), nc, time.Millisecond)
		defer cancel()
		<-call.Done()
		assert.Equal(t, context.DeadlineExceeded, call.Err())

		ctx, end := context.WithCancel(t.Context())
		call, cancel = natsconn.Call(ctx, nc, time.Hour)
		defer cancel()
		end()
		<-call.Done()
		assert.Equal(t, context.Canceled, context.Cause(call))
	})
}
