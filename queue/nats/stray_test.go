package nats

import (
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/deedrun/deed/internal/natsconn"
	"github.com/deedrun/deed/queue"
)

func TestAnAnswerThatComesTwiceIsNotTakenForThatToALaterSendAndHoldsItUpNever(t *testing.T) {
	t.Parallel()
	server, err := natsconn.Start(natsconn.ServerOptions{Dir: t.TempDir(), NoSync: true})
	require.NoError(t, err)
	defer server.Close()
	nc, err := server.Connect(natsconn.ConnOptions{})
	require.NoError(t, err)
	defer nc.Close()
	q, err := Open(t.Context(), nc, Options{Name: "work"})
	require.NoError(t, err)
	require.NoError(t, q.Send(t.Context(), queue.Message{Key: "k"}))

	in, err := q.inboxes.borrow(1)
	require.NoError(t, err)
	for _, subject := range []string{in.reply("0"), in.subject + "0"} {
		require.NoError(t, nc.Publish(subject, []byte(`{"stream":"deed-work","seq":1}`)))
	}
	require.NoError(t, nc.Flush())
	require.Eventually(t, func() bool { return len(in.c) == 2 }, 10*time.Second, time.Millisecond)
	q.inboxes.release(in)
	for range 3 {
		require.NoError(t, q.Send(t.Context(), queue.Message{Key: "k"}, queue.Message{Key: "k"}))
	}
	n, err := q.Pending(t.Context(), "k")
	require.NoError(t, err)
	require.Equal(t, 7, n)
}
