package queuetest

import (
	"bytes"
	"context"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/deedrun/deed/queue"
)

func runRefusals(s suite) {
	s.run("bodies of 0 bytes, of any bytes and of 1 MiB arrive as they were sent", func(t *testing.T, open Open) {
		w := open(t, long)
		binary := make([]byte, 256)
		for i := range binary {
			binary[i] = byte(i)
		}
		for _, body := range [][]byte{{}, binary, bytes.Repeat(binary, 1<<20/len(binary))} {
			send(t, w.A, queue.Message{Key: "k", Body: body})
			got := receiveAll(t, w.B, 1)
			require.True(t, bytes.Equal(body, got[0].Body), "a body of %d bytes changed", len(body))
			ack(t, w.B, got...)
		}
	})

	s.run("a buffer may be used again after Send", func(t *testing.T, open Open) {
		w := open(t, long)
		body := []byte("first")
		send(t, w.A, queue.Message{Key: "k", Body: body})
		copy(body, "other")
		assert.Equal(t, []string{"first"}, bodies(receiveAll(t, w.A, 1)))
	})

	s.run("a message that is too large is refused; those before it are stored and those after it are not", func(t *testing.T, open Open) {
		w := open(t, long)
		messages := numbered("k", 5)
		messages[2].Body = make([]byte, w.TooLarge)
		err := w.A.Send(t.Context(), messages...)
		require.ErrorIs(t, err, queue.ErrTooLarge)
		assert.Contains(t, err.Error(), "message 3 of 5")

		assert.Equal(t, []string{"0", "1"}, bodies(receiveAll(t, w.A, 2)))
		assert.Empty(t, receive(t, w.A, 5, 0))
	})

	s.run("a Send of nothing is no error", func(t *testing.T, open Open) {
		w := open(t, long)
		require.NoError(t, w.A.Send(t.Context()))
		require.NoError(t, w.A.Ack(t.Context()))
		require.NoError(t, w.A.Extend(t.Context()))
	})

	s.run("a key that could not be an address is refused and nothing of that Send is stored", func(t *testing.T, open Open) {
		w := open(t, long)
		for _, key := range []string{"", "A", "a.b", "a*", ">", "a b", "ä", "a/b", strings.Repeat("a", 65)} {
			err := w.A.Send(t.Context(), queue.Message{Key: "ok"}, queue.Message{Key: key})
			require.ErrorContains(t, err, "message key", "key %q", key)
			require.ErrorContains(t, w.A.Purge(t.Context(), key), "message key", "key %q", key)
			_, err = w.A.Pending(t.Context(), key)
			require.ErrorContains(t, err, "message key", "key %q", key)
		}
		assert.Empty(t, receive(t, w.A, 10, 0))
	})

	s.run("a key of 64 bytes is accepted", func(t *testing.T, open Open) {
		w := open(t, long)
		key := strings.Repeat("a-9z", 16)
		send(t, w.A, queue.Message{Key: key})
		assert.Equal(t, key, receiveAll(t, w.A, 1)[0].Key)
	})

	s.run("a Receive of less than one message is refused", func(t *testing.T, open Open) {
		w := open(t, long)
		for _, max := range []int{0, -1} {
			_, err := w.A.Receive(t.Context(), max, 0)
			require.ErrorContains(t, err, "ask for at least 1")
		}
	})

	s.run("a delivery of somewhere else is refused", func(t *testing.T, open Open) {
		w := open(t, long)
		foreign := queue.Delivery{Message: queue.Message{Key: "k"}, Token: 7}
		require.ErrorContains(t, w.A.Ack(t.Context(), foreign), "not received from this queue")
		require.ErrorContains(t, w.A.Extend(t.Context(), foreign), "not received from this queue")
	})

	s.run("with a context that has ended nothing is done", func(t *testing.T, open Open) {
		w := open(t, long)
		send(t, w.A, numbered("k", 2)...)
		held := receiveAll(t, w.A, 1)

		ended, cancel := context.WithCancel(t.Context())
		cancel()
		require.ErrorIs(t, w.A.Send(ended, numbered("k", 1)...), context.Canceled)
		require.ErrorIs(t, w.A.Ack(ended, held...), context.Canceled)
		require.ErrorIs(t, w.A.Extend(ended, held...), context.Canceled)
		require.ErrorIs(t, w.A.Purge(ended, "k"), context.Canceled)
		_, err := w.A.Receive(ended, 1, 0)
		require.ErrorIs(t, err, context.Canceled)
		_, err = w.A.Pending(ended, "k")
		require.ErrorIs(t, err, context.Canceled)

		pendingBecomes(t, w.A, "k", 2)
		assert.Equal(t, []string{"1"}, bodies(receiveAll(t, w.B, 1)))
	})
}
