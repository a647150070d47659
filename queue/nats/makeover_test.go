package nats_test

import (
	"testing"
	"time"

	"github.com/nats-io/nats.go/jetstream"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/deedrun/deed/queue"
	"github.com/deedrun/deed/queue/nats"
)

func TestAPlainQueueOfAnEarlierVersionIsMadeOver(t *testing.T) {
	t.Parallel()
	b := startBackend(t)
	nc := b.connect(t)
	js, err := jetstream.New(nc)
	require.NoError(t, err)
	for _, form := range []struct {
		name string
		open func(o nats.Options) queue.Queue
	}{
		{"lanes", func(o nats.Options) queue.Queue {
			q, err := nats.OpenLanes(t.Context(), nc, o)
			require.NoError(t, err)
			return q
		}},
		{"shards", func(o nats.Options) queue.Queue {
			return openSharded(t, nc, o)
		}},
	} {
		t.Run("into "+form.name+": what lay in it is dropped, what is sent then arrives and stays", func(t *testing.T) {
			o := nats.Options{Name: "old-" + form.name, Lease: time.Minute, Async: true}
			old := openQueue(t, nc, o)
			require.NoError(t, old.Send(t.Context(), queue.Message{Key: "k"}, queue.Message{Key: "k"}, queue.Message{Key: "other"}))
			got, err := old.Receive(t.Context(), 1, 5*time.Second)
			require.NoError(t, err)
			require.Len(t, got, 1, "one of them is on lease")

			o.MakeOver = true
			q := form.open(o)
			n, err := q.Pending(t.Context(), "k")
			require.NoError(t, err)
			require.Zero(t, n)
			require.NoError(t, q.Send(t.Context(), queue.Message{Key: "k", Body: []byte("new")}))

			q = form.open(o)
			if s, ok := q.(queue.Sharded); ok {
				require.NoError(t, s.Hold(t.Context(), queue.AllShards))
			}
			got, err = q.Receive(t.Context(), 10, 5*time.Second)
			require.NoError(t, err)
			require.Len(t, got, 1)
			assert.Equal(t, "new", string(got[0].Body))
			stream, err := js.Stream(t.Context(), "deed-old-"+form.name)
			require.NoError(t, err)
			assert.EqualValues(t, 1, stream.CachedInfo().State.Msgs)
			_, err = stream.Consumer(t.Context(), "shared")
			require.ErrorIs(t, err, jetstream.ErrConsumerNotFound)
		})
	}
}

func TestAPlainQueueThatSomebodyMayUseIsLeftAsItIs(t *testing.T) {
	t.Parallel()
	b := startBackend(t)
	nc := b.connect(t)
	o := nats.Options{Name: "old", Async: true}
	old := openQueue(t, nc, o)
	require.NoError(t, old.Send(t.Context(), queue.Message{Key: "k", Body: []byte("kept")}))
	_, err := nats.OpenLanes(t.Context(), nc, o)
	require.ErrorContains(t, err, "an earlier version of deed made it")
	_, err = nats.OpenSharded(t.Context(), nc, o)
	require.ErrorContains(t, err, "an earlier version of deed made it")
	require.Equal(t, "kept", receiveOne(t, old))
}
