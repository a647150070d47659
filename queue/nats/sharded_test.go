package nats_test

import (
	"context"
	"fmt"
	"testing"
	"time"

	natsgo "github.com/nats-io/nats.go"
	"github.com/nats-io/nats.go/jetstream"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/deedrun/deed/queue"
	"github.com/deedrun/deed/queue/nats"
)

func receiveOne(t *testing.T, q queue.Queue) string {
	t.Helper()
	got, err := q.Receive(t.Context(), 1, 10*time.Second)
	require.NoError(t, err)
	require.Len(t, got, 1)
	require.NoError(t, q.Ack(t.Context(), got...))
	return string(got[0].Body)
}

// holdAll is an inbox all of whose shards are held over a connection.
func holdAll(t *testing.T) (*nats.Sharded, *natsgo.Conn) {
	t.Helper()
	nc := startBackend(t).connect(t)
	s := openSharded(t, nc, nats.Options{Name: "inbox", Async: true})
	require.NoError(t, s.Hold(t.Context(), queue.AllShards))
	return s, nc
}

func TestAHolderOfAllShardsToWhichNothingComesAsksTheServerForNextToNothing(t *testing.T) {
	t.Parallel()
	s, nc := holdAll(t)
	before := nc.Stats().OutMsgs
	got, err := s.Receive(t.Context(), 10, time.Second)
	require.NoError(t, err)
	require.Empty(t, got)
	assert.LessOrEqual(t, nc.Stats().OutMsgs-before, uint64(5))
}

func TestAConsumerThatAnEarlierVersionMadeForOneLaneOnlyIsMadeToTakeAllByWhoHoldsItsShard(t *testing.T) {
	t.Parallel()
	s, nc := holdAll(t)
	js, err := jetstream.New(nc)
	require.NoError(t, err)
	shard := fmt.Sprintf("%02d", queue.ShardOf("k"))
	there, err := js.Consumer(t.Context(), "deed-inbox", "shard-"+shard)
	require.NoError(t, err)
	earlier := there.CachedInfo().Config
	earlier.FilterSubject = "deed.queue.inbox." + shard + ".*"
	require.NoError(t, s.Hold(t.Context(), 0))
	_, err = js.UpdateConsumer(t.Context(), "deed-inbox", earlier)
	require.NoError(t, err)
	require.NoError(t, s.Send(t.Context(), queue.Message{Key: "k", Body: []byte("a")}, queue.Message{Lane: queue.Reports, Key: "k", Body: []byte("b")}))
	require.NoError(t, s.Hold(t.Context(), queue.AllShards))
	require.Equal(t, "a", receiveOne(t, s))
	require.Equal(t, "b", receiveOne(t, s))
}

func TestAMessageThatSomebodyFiledWhereItDoesNotBelongIsRemovedAndHoldsUpNobody(t *testing.T) {
	t.Parallel()
	s, nc := holdAll(t)
	js, err := jetstream.New(nc)
	require.NoError(t, err)
	belongs := queue.ShardOf("k")
	for _, subject := range []string{
		fmt.Sprintf("%02d.k", (belongs+1)%queue.ShardCount), fmt.Sprintf("%02d.report.k", (belongs+1)%queue.ShardCount),
		fmt.Sprintf("%02d.report.No-Key", queue.ShardOf("No-Key")), fmt.Sprintf("%02d.report.a.b", queue.ShardOf("a.b")),
	} {
		_, err := js.Publish(t.Context(), "deed.queue.inbox."+subject, []byte("misfiled"))
		require.NoError(t, err)
	}
	require.NoError(t, s.Send(t.Context(), queue.Message{Key: "k", Body: []byte("a")}))
	require.Equal(t, "a", receiveOne(t, s))
	require.Eventually(t, func() bool {
		got, err := s.Receive(t.Context(), 1, 10*time.Millisecond)
		if err != nil || len(got) > 0 {
			return false
		}
		stream, err := js.Stream(t.Context(), "deed-inbox")
		return err == nil && stream.CachedInfo().State.Msgs == 0
	}, 10*time.Second, 10*time.Millisecond)
}

func TestAHolderThatDoesNotReceiveHasABoundedNumberOfMessagesOnLease(t *testing.T) {
	t.Parallel()
	s, nc := holdAll(t)
	messages := make([]queue.Message, 1000)
	for i := range messages {
		messages[i] = queue.Message{Key: "k", Body: fmt.Append(nil, i)}
	}
	require.NoError(t, s.Send(t.Context(), messages...))
	js, err := jetstream.New(nc)
	require.NoError(t, err)
	leased := func() int {
		c, err := js.Consumer(t.Context(), "deed-inbox", fmt.Sprintf("shard-%02d", queue.ShardOf("k")))
		require.NoError(t, err)
		return c.CachedInfo().NumAckPending
	}
	require.Eventually(t, func() bool { return leased() > 0 }, 10*time.Second, time.Millisecond)
	require.NoError(t, nc.Flush())
	assert.LessOrEqual(t, leased(), 64)
	for i := range messages {
		require.Equal(t, fmt.Sprint(i), receiveOne(t, s))
	}
}

func TestPinsLapse(t *testing.T) {
	if testing.Short() {
		t.Skip("pins lapse after seconds")
	}
	t.Parallel()
	b := startBackend(t)
	setup := func(t *testing.T) (a, b2 *nats.Sharded) {
		o := nats.Options{Name: "inbox." + fmt.Sprint(time.Now().UnixNano()), Lease: time.Minute, Async: true}
		return openSharded(t, b.connect(t), o), openSharded(t, b.connect(t), o)
	}

	t.Run("who does not call Receive for two seconds loses its shards to whoever wants them, and gets them back", func(t *testing.T) {
		t.Parallel()
		stuck, other := setup(t)
		require.NoError(t, stuck.Hold(t.Context(), queue.AllShards))
		require.NoError(t, stuck.Send(t.Context(), queue.Message{Key: "k", Body: []byte("first")}))
		require.Equal(t, "first", receiveOne(t, stuck))

		// All that stood for it is used up by what it does not come to receive.
		messages := make([]queue.Message, 200)
		for i := range messages {
			messages[i] = queue.Message{Key: "k", Body: fmt.Append(nil, i)}
		}
		require.NoError(t, other.Send(t.Context(), messages...))
		require.NoError(t, other.Hold(t.Context(), queue.AllShards))
		got, err := other.Receive(t.Context(), 1, 10*time.Second)
		require.NoError(t, err)
		require.Len(t, got, 1)
		require.NoError(t, other.Hold(t.Context(), 0))

		seen := map[string]bool{}
		for len(seen) < 199 {
			seen[receiveOne(t, stuck)] = true
		}
		assert.NotContains(t, seen, string(got[0].Body))
	})

	t.Run("a shard that nothing came to for a while gets the next message at once", func(t *testing.T) {
		t.Parallel()
		s, _ := setup(t)
		require.NoError(t, s.Hold(t.Context(), queue.AllShards))
		require.NoError(t, s.Send(t.Context(), queue.Message{Key: "k", Body: []byte("x")}))
		require.Equal(t, "x", receiveOne(t, s))
		got, err := s.Receive(t.Context(), 1, 6*time.Second)
		require.NoError(t, err)
		require.Empty(t, got)
		began := time.Now()
		require.NoError(t, s.Send(t.Context(), queue.Message{Key: "k", Body: []byte("y")}))
		require.Equal(t, "y", receiveOne(t, s))
		assert.Less(t, time.Since(began), 2*time.Second)
	})
}

func TestShardsWhileTheServerIsAway(t *testing.T) {
	t.Parallel()
	t.Run("every call says that the queue is unavailable, and afterwards what was held is held", func(t *testing.T) {
		t.Parallel()
		b := startBackend(t)
		nc := b.connect(t)
		s := openSharded(t, nc, nats.Options{Name: "inbox", Lease: time.Second, Async: true})
		require.NoError(t, s.Hold(t.Context(), queue.AllShards))

		reconnecting := nc.StatusChanged(natsgo.RECONNECTING)
		b.server.Close()
		<-reconnecting
		nc.RemoveStatusListener(reconnecting)
		for _, wait := range []time.Duration{0, 100 * time.Millisecond} {
			_, err := s.Receive(t.Context(), 1, wait)
			require.ErrorIs(t, err, queue.ErrUnavailable)
		}
		require.NoError(t, s.Hold(t.Context(), 0), "letting go asks nobody")
		require.ErrorIs(t, s.Hold(t.Context(), queue.AllShards), queue.ErrUnavailable)

		b.start(t)
		require.NoError(t, s.Send(t.Context(), queue.Message{Key: "k", Body: []byte("again")})) // it waits for the connection
		require.Equal(t, "again", receiveOne(t, s))
	})

	t.Run("what a Send acknowledged comes to the holder, whenever the server went away and came back", func(t *testing.T) {
		t.Parallel()
		b := startBackend(t)
		o := nats.Options{Name: "inbox", Lease: time.Second, Async: true}
		holder, sender := openSharded(t, b.connect(t), o), openSharded(t, b.connect(t), o)
		require.NoError(t, holder.Hold(t.Context(), queue.AllShards))
		ctx, stop := context.WithCancel(t.Context())
		stored := make(chan []string, 1)
		go func() {
			var all []string
			for i := 0; ctx.Err() == nil; i++ {
				messages := make([]queue.Message, 20)
				for j := range messages {
					messages[j] = queue.Message{Key: fmt.Sprintf("process-%d", j), Body: fmt.Appendf(nil, "%d/%d", i, j)}
				}
				if err := sender.Send(ctx, messages...); err == nil {
					for _, m := range messages {
						all = append(all, string(m.Body))
					}
				} else if ctx.Err() == nil && !assert.ErrorIs(t, err, queue.ErrUnavailable) {
					break
				}
			}
			stored <- all
		}()
		seen := map[string]bool{}
		collect := func(until func() bool) {
			for giveUp := time.Now().Add(30 * time.Second); !until() && time.Now().Before(giveUp); {
				got, err := holder.Receive(t.Context(), 500, 100*time.Millisecond)
				if err != nil {
					require.ErrorIs(t, err, queue.ErrUnavailable)
				}
				_ = holder.Ack(t.Context(), got...)
				for _, d := range got {
					seen[string(d.Body)] = true
				}
			}
		}
		for range 2 {
			n := len(seen)
			collect(func() bool { return len(seen) >= n+500 })
			b.restart(t)
		}
		stop()
		all := <-stored
		missing := func() (n int) {
			for _, body := range all {
				if !seen[body] {
					n++
				}
			}
			return n
		}
		collect(func() bool { return missing() == 0 })
		require.Zero(t, missing(), "of %d", len(all))
	})

	t.Run("over a connection that is closed every call fails at once", func(t *testing.T) {
		t.Parallel()
		s, nc := holdAll(t)
		nc.Close()
		began := time.Now()
		_, err := s.Receive(t.Context(), 1, time.Hour)
		require.ErrorIs(t, err, queue.ErrUnavailable)
		require.ErrorIs(t, s.Hold(t.Context(), 0), queue.ErrUnavailable)
		assert.Less(t, time.Since(began), 4*time.Second)
	})
}
