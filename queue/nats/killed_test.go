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

// remember returns what makes the server's folder that of one which was killed
// after it wrote down acks and before it wrote down that they removed messages.
func (b *backend) remember(t *testing.T, stream string) (undoRemovals func()) {
	t.Helper()
	messages := filepath.Join(b.options.Dir, "jetstream", "$G", "streams", stream, "msgs")
	before := filepath.Join(t.TempDir(), "msgs")
	b.server.Close()
	require.NoError(t, os.CopyFS(before, os.DirFS(messages)))
	b.start(t)
	return func() {
		b.server.Close()
		require.NoError(t, os.RemoveAll(messages))
		require.NoError(t, os.CopyFS(messages, os.DirFS(before)))
		b.start(t)
	}
}

// browse lists what lies in the stream, once the connection is back.
func browse(t *testing.T, q queue.Browser) (there []queue.Browsed) {
	t.Helper()
	require.Eventually(t, func() bool {
		var err error
		there, err = q.Browse(t.Context(), 0, 10)
		return err == nil
	}, 5*time.Second, time.Millisecond)
	return there
}

func TestMessagesThatAKilledServerFindsAgainAlthoughTheyWereAckedAreNotPending(t *testing.T) {
	t.Parallel()
	b := startBackend(t)
	q := openQueue(t, b.connect(t), nats.Options{Name: "work", Async: true})
	require.NoError(t, q.Send(t.Context(), queue.Message{Key: "a"}, queue.Message{Key: "b"}, queue.Message{Key: "a"}))
	undoRemovals := b.remember(t, "deed-work")
	got, err := q.Receive(t.Context(), 3, 5*time.Second)
	require.NoError(t, err)
	require.Len(t, got, 3)
	require.NoError(t, q.Ack(t.Context(), got...))
	require.Eventually(t, func() bool {
		n, err := q.Pending(t.Context(), "a")
		return err == nil && n == 0
	}, 5*time.Second, time.Millisecond)

	undoRemovals()
	require.Len(t, browse(t, q), 3, "they are in the stream again")
	require.NoError(t, q.Send(t.Context(), queue.Message{Key: "b"}))
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

func TestMessagesThatAKilledServerFindsAgainTakeNoneOfAnotherLaneWithThem(t *testing.T) {
	t.Parallel()
	b := startBackend(t)
	q, err := nats.OpenLanes(t.Context(), b.connect(t), nats.Options{Name: "work", Async: true})
	require.NoError(t, err)
	require.NoError(t, q.Send(t.Context(), queue.Message{Lane: "gpu", Key: "a", Body: []byte("kept")}, queue.Message{Key: "a"}, queue.Message{Key: "a"}))
	undoRemovals := b.remember(t, "deed-work")
	got, err := q.Receive(t.Context(), 2, 5*time.Second)
	require.NoError(t, err)
	require.Len(t, got, 2)
	require.NoError(t, q.Ack(t.Context(), got...))
	pending := func() int {
		n, err := q.Pending(t.Context(), "a")
		require.NoError(t, err)
		return n
	}
	require.Eventually(t, func() bool { return pending() == 1 }, 5*time.Second, time.Millisecond)

	undoRemovals()
	require.Len(t, browse(t, q), 3, "they are in the stream again")
	require.Equal(t, 1, pending())
	gpu, err := q.Lane(t.Context(), "gpu")
	require.NoError(t, err)
	require.Equal(t, "kept", receiveOne(t, gpu))
}
