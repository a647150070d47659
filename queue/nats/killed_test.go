package nats_test

import (
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/deedrun/deed/queue"
	"github.com/deedrun/deed/queue/nats"
)

func TestMessagesThatAKilledServerFindsAgainAlthoughTheyWereAckedAreNotPending(t *testing.T) {
	t.Parallel()
	b := startBackend(t)
	q := openQueue(t, b.connect(t), nats.Options{Name: "work", Async: true})
	require.NoError(t, q.Send(t.Context(), queue.Message{Key: "a"}, queue.Message{Key: "b"}, queue.Message{Key: "a"}))
	messages := filepath.Join(b.options.Dir, "jetstream", "$G", "streams", "deed-work", "msgs")
	before := filepath.Join(t.TempDir(), "msgs")
	b.server.Close()
	require.NoError(t, os.CopyFS(before, os.DirFS(messages)))
	b.start(t)
	got, err := q.Receive(t.Context(), 3, 5*time.Second)
	require.NoError(t, err)
	require.Len(t, got, 3)
	require.NoError(t, q.Ack(t.Context(), got...))
	require.Eventually(t, func() bool {
		n, err := q.Pending(t.Context(), "a")
		return err == nil && n == 0
	}, 5*time.Second, time.Millisecond)

	// The folder of a server that was killed after it wrote down the acks and
	// before it wrote down that they removed the messages.
	b.server.Close()
	require.NoError(t, os.RemoveAll(messages))
	require.NoError(t, os.CopyFS(messages, os.DirFS(before)))
	b.start(t)
	require.NoError(t, q.Send(t.Context(), queue.Message{Key: "b"}))
	there, err := q.Browse(t.Context(), 0, 10)
	require.NoError(t, err)
	require.Len(t, there, 4, "they are in the stream again")
	n, err := q.Pending(t.Context(), "a")
	require.NoError(t, err)
	require.Zero(t, n)
	n, err = q.Pending(t.Context(), "b")
	require.NoError(t, err)
	require.Equal(t, 1, n)
	got, err = q.Receive(t.Context(), 10, 5*time.Second)
	require.NoError(t, err)
	require.Len(t, got, 1)
	require.Equal(t, "b", got[0].Key)
}
