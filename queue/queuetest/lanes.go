package queuetest

import (
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/deedrun/deed/queue"
)

// RunLanes checks what queue.Lanes adds to the contract of queue.Queue; the
// consumers of its worlds are queue.Lanes.
func RunLanes(t *testing.T, open Open) {
	runGroups(t, func(t *testing.T, test func(*testing.T)) { test(t) }, open, []group{{"lanes", runLanes}})
}

func lane(t *testing.T, q queue.Queue, name string) queue.Queue {
	t.Helper()
	l, err := q.(queue.Lanes).Lane(t.Context(), name)
	require.NoError(t, err)
	return l
}

func inLane(name, key string, bodies ...string) []queue.Message {
	var out []queue.Message
	for _, b := range bodies {
		out = append(out, queue.Message{Lane: name, Key: key, Body: []byte(b)})
	}
	return out
}

func runLanes(s suite) {
	s.run("each lane gets its own messages and no others, in order, and they say which it is", func(t *testing.T, open Open) {
		w := open(t, long)
		gpu, cpu := lane(t, w.A, "gpu"), lane(t, w.B, "cpu")
		send(t, w.A,
			queue.Message{Lane: "gpu", Key: "k", Body: []byte("g0")},
			queue.Message{Lane: "cpu", Key: "k", Body: []byte("c0")},
			queue.Message{Key: "k", Body: []byte("d0")},
			queue.Message{Lane: "gpu", Key: "k", Body: []byte("g1")})

		got := receiveAll(t, gpu, 2)
		assert.Equal(t, []string{"g0", "g1"}, bodies(got))
		assert.Equal(t, []string{"gpu", "gpu"}, []string{got[0].Lane, got[1].Lane})
		assert.Equal(t, []string{"c0"}, bodies(receiveAll(t, cpu, 1)))
		got = receiveAll(t, w.B, 1)
		assert.Equal(t, []string{"d0"}, bodies(got))
		assert.Empty(t, got[0].Lane, "the default lane goes without its name")
		for _, q := range []queue.Queue{gpu, cpu, w.A} {
			assert.Empty(t, receive(t, q, 10, 0))
		}
	})

	s.run("the default lane can be named", func(t *testing.T, open Open) {
		w := open(t, long)
		send(t, w.A, inLane(queue.DefaultLane, "k", "named")...)
		send(t, w.A, inLane("", "k", "not named")...)
		assert.Equal(t, []string{"named"}, bodies(receiveAll(t, w.A, 1)))
		assert.Equal(t, []string{"not named"}, bodies(receiveAll(t, lane(t, w.B, queue.DefaultLane), 1)))
	})

	s.run("what is sent to a lane that nobody receives from waits there", func(t *testing.T, open Open) {
		w := open(t, long)
		send(t, w.A, inLane("later", "k", "0", "1")...)
		assert.Empty(t, receive(t, w.B, 10, 0))
		assert.Equal(t, []string{"0", "1"}, bodies(receiveAll(t, lane(t, w.B, "later"), 2)))
	})

	s.run("consumers of the same lane share its messages", func(t *testing.T, open Open) {
		w := open(t, long)
		a, b := lane(t, w.A, "gpu"), lane(t, w.B, "gpu")
		send(t, a, inLane("gpu", "k", "0", "1", "2")...)
		assert.Equal(t, []string{"0", "1"}, bodies(receiveAll(t, a, 2)))
		assert.Equal(t, []string{"2"}, bodies(receiveAll(t, b, 1)))
	})

	s.run("a lease that runs out brings the message to its own lane again", func(t *testing.T, open Open) {
		w := open(t, short)
		a, b := lane(t, w.A, "gpu"), lane(t, w.B, "gpu")
		assert.Equal(t, short, b.Lease())
		send(t, w.A, inLane("gpu", "k", "0")...)
		receiveAll(t, a, 1)
		w.pass(t, 2*short) // in the default lane
		again := receiveAll(t, b, 1)
		assert.Equal(t, []int{2}, counts(again))
		ack(t, b, again...)
		pendingBecomes(t, w.A, "k", 0)
	})

	s.run("purge and pending are about a key in all lanes, queued and leased", func(t *testing.T, open Open) {
		w := open(t, short)
		gpu := lane(t, w.A, "gpu")
		send(t, w.A, inLane("gpu", "gone", "leased")...)
		receiveAll(t, gpu, 1)
		send(t, w.A, inLane("gpu", "gone", "queued")...)
		send(t, w.A, inLane("", "gone", "0", "1")...)
		send(t, w.A, inLane("gpu", "kept", "2")...)
		send(t, w.A, inLane("cpu", "kept", "3")...)
		pendingBecomes(t, gpu, "gone", 4)
		pendingBecomes(t, w.B, "kept", 2)

		require.NoError(t, gpu.Purge(t.Context(), "gone"))
		pendingBecomes(t, w.A, "gone", 0)
		pendingBecomes(t, w.A, "kept", 2)
		w.pass(t, 2*short)
		assert.Equal(t, []string{"2"}, bodies(receiveAll(t, gpu, 1)))
		assert.Equal(t, []string{"3"}, bodies(receiveAll(t, lane(t, w.B, "cpu"), 1)))
	})

	s.run("what one lane acked does not count against another", func(t *testing.T, open Open) {
		w := open(t, long)
		gpu := lane(t, w.A, "gpu")
		send(t, w.A, inLane("", "k", "0")...)
		send(t, w.A, inLane("gpu", "k", "1")...)
		send(t, w.A, inLane("gpu", "k", "2")...)
		ack(t, gpu, receiveAll(t, gpu, 2)...)
		pendingBecomes(t, w.A, "k", 1)
		assert.Equal(t, []string{"0"}, bodies(receiveAll(t, w.A, 1)))
	})

	s.run("all lanes are browsed, each message with its lane", func(t *testing.T, open Open) {
		w := open(t, long)
		send(t, w.A, inLane("gpu", "k", "0")...)
		send(t, w.A, inLane("", "k", "1")...)
		got := browse(t, w.B, 0, 10)
		assert.Equal(t, []string{"0", "1"}, texts(got))
		assert.Equal(t, []string{"gpu", ""}, []string{got[0].Lane, got[1].Lane})
		remove(t, w.B, got[0].Number)
		pendingBecomes(t, w.A, "k", 1)
	})

	s.run("the name of a lane that could not be an address is refused, and nothing is sent", func(t *testing.T, open Open) {
		w := open(t, long)
		for _, name := range []string{"A", "a.b", "*", ">", "a b", strings.Repeat("z", 65)} {
			_, err := w.A.(queue.Lanes).Lane(t.Context(), name)
			require.ErrorContains(t, err, "lane", "lane %q", name)
			good := queue.Message{Key: "k"}
			require.ErrorContains(t, w.A.Send(t.Context(), good, queue.Message{Lane: name, Key: "k"}), "lane", "lane %q", name)
		}
		pendingBecomes(t, w.A, "k", 0)
	})
}
