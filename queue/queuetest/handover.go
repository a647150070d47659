package queuetest

import (
	"context"
	"slices"
	"strconv"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/deedrun/deed/queue"
)

func runHandover(s suite) {
	s.run("while messages come, one who wants a shard that is held gets none", func(t *testing.T, open Open) {
		w := open(t, long)
		holdShards(t, w.A, queue.AllShards)
		send(t, w.A, numbered("k", 1)...)
		ack(t, w.A, receiveAll(t, w.A, 1)...)
		holdShards(t, w.B, shardsOf("k"))
		for i := range 20 {
			send(t, w.B, numbered("k", 10)...)
			ack(t, w.A, receiveAll(t, w.A, 10)...)
			require.Empty(t, receive(t, w.B, 10, 0), "round %d", i)
		}
	})

	s.run("a shard that is let go is the next holder's at once, with what the first one did not get to see", func(t *testing.T, open Open) {
		w := open(t, long)
		holdShards(t, w.A, queue.AllShards)
		send(t, w.A, numbered("k", 200)...)
		ack(t, w.A, receiveAll(t, w.A, 50)...)
		began := time.Now()
		holdShards(t, w.A, queue.AllShards.Without(shardsOf("k")))
		holdShards(t, w.B, shardsOf("k"))
		got := receiveAll(t, w.B, 150)
		assert.Less(t, time.Since(began), deadAfter)

		require.Equal(t, numbers(50, 200), sortedNumbers(t, got))
		ack(t, w.B, got...)
		pendingBecomes(t, w.A, "k", 0)
		assert.Empty(t, receive(t, w.A, 1, 0))
	})

	s.run("what was received before a shard was let go may still be acked", func(t *testing.T, open Open) {
		w := open(t, short)
		holdShards(t, w.A, queue.AllShards)
		send(t, w.A, numbered("k", 3)...)
		got := receiveAll(t, w.A, 3)
		holdShards(t, w.A, 0)
		holdShards(t, w.B, queue.AllShards)
		ack(t, w.A, got[0], got[2])
		again := w.receiveAgain(t, w.B, 1)
		assert.Equal(t, []string{"1"}, bodies(again))
		ack(t, w.B, again...)
		pendingBecomes(t, w.B, "k", 0)
	})

	s.run("the messages of a key that were not delivered before come in order to the next holder", func(t *testing.T, open Open) {
		w := open(t, long)
		sent := numbered("k", 3000)
		send(t, w.A, sent[:2000]...)
		holders := []queue.Queue{w.A, w.B}
		seen := map[string]bool{}
		var first []int // as they were delivered the first time
		for i := 0; len(seen) < len(sent); i++ {
			q := holders[i%2]
			holdShards(t, q, shardsOf("k"))
			if i == 1 {
				send(t, w.B, sent[2000:]...)
			}
			for n := 0; n < 700 && len(seen) < len(sent); {
				got := receive(t, q, 90, soon)
				require.NotEmpty(t, got, "%d of %d messages arrived", len(seen), len(sent))
				for _, d := range got {
					seen[string(d.Body)] = true
					if d.Count == 1 {
						number, err := strconv.Atoi(string(d.Body))
						require.NoError(t, err)
						first = append(first, number)
					}
				}
				n += len(got)
				ack(t, q, got...)
			}
			holdShards(t, q, 0)
		}
		assert.True(t, slices.IsSorted(first))
		pendingBecomes(t, w.A, "k", 0)
	})

	s.run("who let a shard go can take it back", func(t *testing.T, open Open) {
		w := open(t, long)
		for i := range 10 {
			holdShards(t, w.A, shardsOf("k"))
			send(t, w.B, numbered("k", 3)...)
			got := receiveAll(t, w.A, 3)
			assert.Equal(t, []string{"0", "1", "2"}, bodies(got), "round %d", i)
			ack(t, w.A, got...)
			holdShards(t, w.A, 0)
		}
	})

	s.run("the shard of a holder that died is free after two seconds, and what it had when its lease ran out", func(t *testing.T, open Open) {
		w := open(t, 3*time.Second)
		holdShards(t, w.A, queue.AllShards)
		send(t, w.B, numbered("k", 2)...)
		ack(t, w.A, receiveAll(t, w.A, 1)...)
		pendingBecomes(t, w.B, "k", 1)
		held := receiveAll(t, w.A, 1)
		assert.Equal(t, []string{"1"}, bodies(held))
		w.Kill()
		holdShards(t, w.B, queue.AllShards)
		send(t, w.B, queue.Message{Key: "k", Body: []byte("new")})
		if w.Advance != nil {
			w.Advance(deadAfter - time.Millisecond)
			require.Empty(t, receive(t, w.B, 1, 0))
			w.Advance(time.Millisecond)
		}
		got := receiveAll(t, w.B, 1)
		assert.Equal(t, []string{"new"}, bodies(got))
		ack(t, w.B, got...)
		again := w.receiveAgain(t, w.B, 1)
		assert.Equal(t, []string{"1"}, bodies(again))
		ack(t, w.B, again...)
		pendingBecomes(t, w.B, "k", 0)

		require.ErrorIs(t, w.A.Send(t.Context(), numbered("k", 1)...), queue.ErrUnavailable)
		require.ErrorIs(t, w.A.(queue.Sharded).Hold(t.Context(), queue.AllShards), queue.ErrUnavailable)
		_, err := w.A.Receive(t.Context(), 1, 0)
		require.ErrorIs(t, err, queue.ErrUnavailable)
	})
}

// runShardedRestart checks that who holds shards holds them on after the
// backend went away and came back.
func runShardedRestart(s suite) {
	s.run("shards that were held are held after a restart, and what waited and was leased in them comes", func(t *testing.T, open Open) {
		w := open.lasting(t, short)
		k := keys(3)
		holdShards(t, w.A, shardsOf(k[0], k[1]))
		send(t, w.B, numbered(k[0], 3)...)
		ack(t, w.A, receiveAll(t, w.A, 1)...)
		receiveAll(t, w.A, 2)
		pendingBecomes(t, w.B, k[0], 2)
		send(t, w.B, queue.Message{Key: k[2], Body: []byte("nobody's")})
		w.Restart()

		sendRetrying(t, w.B, queue.Message{Key: k[1], Body: []byte("after")})
		got := map[string]bool{}
		for tries := 0; len(got) < 3; tries++ { // one may come again
			require.Less(t, tries, 100, "of what is there came %v", got)
			for _, body := range receiveRetrying(t, w.A, 1) {
				got[body] = true
			}
		}
		assert.Equal(t, map[string]bool{"1": true, "2": true, "after": true}, got)
		require.Eventually(t, func() bool {
			again, err := w.A.Receive(context.Background(), 10, 0)
			_ = w.A.Ack(context.Background(), again...)
			left, _ := w.B.Pending(context.Background(), k[0])
			return err == nil && left == 0
		}, soon, 5*time.Millisecond)
		pendingBecomes(t, w.B, k[2], 1)
	})

	s.run("a Receive that waits across a restart gets what is sent after it", func(t *testing.T, open Open) {
		w := open.lasting(t, long)
		holdShards(t, w.B, queue.AllShards)
		waiting := receiveLater(t.Context(), w.B, 1, 2*soon)
		w.Restart()
		sendRetrying(t, w.A, queue.Message{Key: "k", Body: []byte("after")})
		a := <-waiting
		require.NoError(t, a.err)
		assert.Equal(t, []string{"after"}, bodies(a.got))
	})
}

// numbers are those from from to before to.
func numbers(from, to int) []int {
	var out []int
	for i := from; i < to; i++ {
		out = append(out, i)
	}
	return out
}

func sortedNumbers(t *testing.T, deliveries []queue.Delivery) []int {
	t.Helper()
	var out []int
	for _, d := range deliveries {
		n, err := strconv.Atoi(string(d.Body))
		require.NoError(t, err)
		out = append(out, n)
	}
	slices.Sort(out)
	return out
}
