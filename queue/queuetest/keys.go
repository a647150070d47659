package queuetest

import (
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/deedrun/deed/queue"
)

func runKeys(s suite) {
	s.run("a purge removes the messages of its key, queued and leased, and no others", func(t *testing.T, open Open) {
		w := open(t, short)
		send(t, w.A, queue.Message{Key: "gone", Body: []byte("leased")})
		leased := receiveAll(t, w.A, 1)
		send(t, w.A,
			queue.Message{Key: "kept", Body: []byte("1")},
			queue.Message{Key: "gone", Body: []byte("queued")},
			queue.Message{Key: "kept", Body: []byte("2")},
			queue.Message{Key: "gone-too", Body: []byte("3")})

		require.NoError(t, w.B.Purge(t.Context(), "gone"))
		pendingBecomes(t, w.B, "gone", 0)

		got := receiveAll(t, w.B, 3)
		assert.Equal(t, []string{"1", "2", "3"}, bodies(got))
		ack(t, w.B, got...)
		w.pass(t, 2*short)
		ack(t, w.A, leased...)
		require.NoError(t, w.A.Extend(t.Context(), leased...))
	})

	s.run("a purge of a key without messages is no error", func(t *testing.T, open Open) {
		w := open(t, long)
		require.NoError(t, w.A.Purge(t.Context(), "nobody"))
	})

	s.run("what is sent after a purge arrives", func(t *testing.T, open Open) {
		w := open(t, long)
		send(t, w.A, numbered("k", 3)...)
		require.NoError(t, w.A.Purge(t.Context(), "k"))
		send(t, w.A, queue.Message{Key: "k", Body: []byte("new")})
		assert.Equal(t, []string{"new"}, bodies(receiveAll(t, w.A, 1)))
	})

	s.run("a purge leaves the leases of other keys alone", func(t *testing.T, open Open) {
		w := open(t, short)
		send(t, w.A, queue.Message{Key: "a"}, queue.Message{Key: "b"}, queue.Message{Key: "c"})
		held := receiveAll(t, w.A, 3)
		require.NoError(t, w.A.Purge(t.Context(), "b"))
		ack(t, w.A, held[0])

		again := w.receiveAgain(t, w.B, 1)
		assert.Equal(t, "c", again[0].Key)
		assert.Equal(t, 2, again[0].Count)
		ack(t, w.B, again...)
		pendingBecomes(t, w.B, "c", 0)
	})

	s.run("pending counts what is queued and what is leased, until it is acked, of that key only", func(t *testing.T, open Open) {
		w := open(t, long)
		send(t, w.A, numbered("k", 5)...)
		send(t, w.A, numbered("other", 3)...)
		pendingBecomes(t, w.A, "k", 5)
		pendingBecomes(t, w.B, "other", 3)
		pendingBecomes(t, w.B, "nobody", 0)

		held := receiveAll(t, w.A, 2)
		pendingBecomes(t, w.A, "k", 5)
		ack(t, w.A, held...)
		pendingBecomes(t, w.B, "k", 3)
		pendingBecomes(t, w.B, "other", 3)
	})
}
