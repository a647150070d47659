package queuetest

import (
	"context"
	"fmt"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/deedrun/deed/queue"
)

// RunSharded checks the contract of queue.Sharded; the consumers of its worlds
// are queue.Sharded, and hold nothing yet.
func RunSharded(t *testing.T, open Open) {
	RunShardedIn(t, func(t *testing.T, test func(*testing.T)) { test(t) }, open)
}

// RunShardedIn is RunSharded with every behaviour inside a surrounding of its own.
func RunShardedIn(t *testing.T, surround func(*testing.T, func(*testing.T)), open Open) {
	runGroups(t, surround, open, []group{
		{"shards", runShards},
		{"handover", runHandover},
		{restart, runShardedRestart},
	})
}

// deadAfter is when the shards of who died are free.
const deadAfter = 2 * time.Second

func holdShards(t *testing.T, q queue.Queue, shards queue.Shards) {
	t.Helper()
	require.NoError(t, q.(queue.Sharded).Hold(t.Context(), shards))
}

// keys are n keys of n different shards.
func keys(n int) []string {
	var out []string
	var used queue.Shards
	for i := 0; len(out) < n; i++ {
		key := fmt.Sprintf("process-%d", i)
		if !used.Holds(key) {
			used = used.With(queue.ShardOf(key))
			out = append(out, key)
		}
	}
	return out
}

func shardsOf(keys ...string) queue.Shards {
	var out queue.Shards
	for _, key := range keys {
		out = out.With(queue.ShardOf(key))
	}
	return out
}

func runShards(s suite) {
	s.run("who holds nothing receives nothing; messages wait for who holds their shard", func(t *testing.T, open Open) {
		w := open(t, long)
		send(t, w.A, numbered("k", 3)...)
		assert.Empty(t, receive(t, w.A, 10, 50*time.Millisecond))
		holdShards(t, w.B, queue.AllShards.Without(shardsOf("k")))
		assert.Empty(t, receive(t, w.B, 10, 50*time.Millisecond))
		holdShards(t, w.A, shardsOf("k"))
		assert.Equal(t, []string{"0", "1", "2"}, bodies(receiveAll(t, w.A, 3)))
	})

	s.run("each shard goes to its holder", func(t *testing.T, open Open) {
		w := open(t, long)
		k := keys(2)
		holdShards(t, w.A, shardsOf(k[0]))
		holdShards(t, w.B, shardsOf(k[1]))
		for i := range 5 {
			send(t, w.A, queue.Message{Key: k[0], Body: fmt.Append(nil, i)}, queue.Message{Key: k[1], Body: fmt.Append(nil, 10+i)})
		}
		got := receiveAll(t, w.A, 5)
		assert.Equal(t, []string{"0", "1", "2", "3", "4"}, bodies(got))
		assert.Equal(t, k[0], got[0].Key)
		assert.Equal(t, []string{"10", "11", "12", "13", "14"}, bodies(receiveAll(t, w.B, 5)))
		assert.Empty(t, receive(t, w.A, 1, 0))
		assert.Empty(t, receive(t, w.B, 1, 0))
	})

	s.run("who holds all gets every message once, those of a key in order, however few at a time", func(t *testing.T, open Open) {
		w := open(t, long)
		holdShards(t, w.A, queue.AllShards)
		k := keys(queue.ShardCount)
		const each = 50
		var all []queue.Message
		for i := range each {
			for _, key := range k {
				all = append(all, queue.Message{Key: key, Body: fmt.Append(nil, i)})
			}
		}
		send(t, w.B, all...)
		seen := map[string]int{}
		for n := 0; n < len(all); {
			got := receive(t, w.A, 170, soon)
			require.NotEmpty(t, got)
			for _, d := range got {
				require.Equal(t, fmt.Sprint(seen[d.Key]), string(d.Body), "key %s", d.Key)
				require.Equal(t, 1, d.Count)
				seen[d.Key]++
			}
			n += len(got)
			ack(t, w.A, got...)
		}
		pendingBecomes(t, w.A, k[0], 0)
		assert.Empty(t, receive(t, w.A, 1, 0))
	})

	s.run("thousands of messages of one key come in order", func(t *testing.T, open Open) {
		w := open(t, long)
		holdShards(t, w.A, queue.AllShards)
		sent := numbered("k", 5000)
		send(t, w.B, sent...)
		for i := 0; i < len(sent); {
			got := receive(t, w.A, 300, soon)
			require.NotEmpty(t, got)
			for _, d := range got {
				require.Equal(t, string(sent[i].Body), string(d.Body))
				i++
			}
			ack(t, w.A, got...)
		}
	})

	s.run("a Receive that waits gets a message sent later, at once, and one of a shard that is held later", func(t *testing.T, open Open) {
		w := open(t, long)
		k := keys(2)
		holdShards(t, w.A, shardsOf(k[0]))
		for range 5 {
			began := time.Now()
			waiting := receiveLater(t.Context(), w.A, 10, soon)
			send(t, w.B, numbered(k[0], 1)...)
			a := <-waiting
			require.NoError(t, a.err)
			require.Len(t, a.got, 1)
			require.Less(t, time.Since(began), soon/2)
			ack(t, w.A, a.got...)
		}
		waiting := receiveLater(t.Context(), w.A, 10, soon)
		send(t, w.B, numbered(k[1], 1)...)
		holdShards(t, w.A, shardsOf(k...))
		a := <-waiting
		require.NoError(t, a.err)
		require.Len(t, a.got, 1)
		assert.Equal(t, k[1], a.got[0].Key)
	})

	s.run("holding what is held already changes nothing", func(t *testing.T, open Open) {
		w := open(t, long)
		k := keys(2)
		holdShards(t, w.A, shardsOf(k[0]))
		send(t, w.B, numbered(k[0], 10)...)
		got := receiveAll(t, w.A, 1)
		holdShards(t, w.A, shardsOf(k...))
		holdShards(t, w.A, shardsOf(k[0]))
		got = append(got, receiveAll(t, w.A, 9)...)
		assert.Equal(t, []string{"0", "1", "2", "3", "4", "5", "6", "7", "8", "9"}, bodies(got))
		for _, d := range got {
			assert.Equal(t, 1, d.Count)
		}
	})

	s.run("what is not acked comes again to the holder; an Extend keeps it", func(t *testing.T, open Open) {
		w := open(t, short)
		holdShards(t, w.A, queue.AllShards)
		send(t, w.B, numbered("k", 2)...)
		got := receiveAll(t, w.A, 2)
		ack(t, w.A, got[0])
		again := w.receiveAgain(t, w.A, 1)
		assert.Equal(t, []string{"1"}, bodies(again))
		assert.Equal(t, []int{2}, counts(again))
		require.NoError(t, w.A.Extend(t.Context(), again...))
		ack(t, w.B, again...) // whoever has it may
		pendingBecomes(t, w.A, "k", 0)
	})

	s.run("purge and pending are about a key, whoever holds its shard", func(t *testing.T, open Open) {
		w := open(t, long)
		holdShards(t, w.A, queue.AllShards)
		k := keys(2)
		send(t, w.B, append(numbered(k[0], 3), numbered(k[1], 2)...)...)
		receiveAll(t, w.A, 5)
		pendingBecomes(t, w.B, k[0], 3)
		require.NoError(t, w.B.Purge(t.Context(), k[0]))
		pendingBecomes(t, w.A, k[0], 0)
		pendingBecomes(t, w.A, k[1], 2)
	})

	s.run("messages of all lanes of a key come in one order, each with its lane, and are counted and purged together", func(t *testing.T, open Open) {
		w := open(t, long)
		holdShards(t, w.A, queue.AllShards)
		var sent, want []queue.Message
		for i, lane := range []string{"", queue.Reports, queue.Reports, queue.DefaultLane, queue.Reports, ""} {
			m := queue.Message{Lane: lane, Key: queue.Reports, Body: fmt.Append(nil, i)} // a key may be called as a lane is
			sent = append(sent, m)
			if m.Lane == queue.DefaultLane {
				m.Lane = ""
			}
			want = append(want, m)
		}
		send(t, w.B, sent...)
		send(t, w.B, numbered("another", 1)...)
		pendingBecomes(t, w.A, queue.Reports, len(sent))
		var got []queue.Message
		for _, d := range receiveAll(t, w.A, len(sent)+1) {
			if d.Key == queue.Reports {
				got = append(got, d.Message)
			}
		}
		assert.Equal(t, want, got)
		require.NoError(t, w.B.Purge(t.Context(), queue.Reports))
		pendingBecomes(t, w.A, queue.Reports, 0)
		pendingBecomes(t, w.A, "another", 1)
	})

	s.run("with a context that has ended nothing is held, sent or received", func(t *testing.T, open Open) {
		w := open(t, long)
		ended, cancel := context.WithCancel(t.Context())
		cancel()
		require.ErrorIs(t, w.A.(queue.Sharded).Hold(ended, queue.AllShards), context.Canceled)
		require.ErrorIs(t, w.A.Send(ended, numbered("k", 1)...), context.Canceled)
		_, err := w.A.Receive(ended, 1, 0)
		require.ErrorIs(t, err, context.Canceled)
		send(t, w.B, numbered("k", 1)...)
		assert.Empty(t, receive(t, w.A, 1, 50*time.Millisecond))
	})

	s.run("a context that ends ends a Receive that waits, and loses nothing", func(t *testing.T, open Open) {
		w := open(t, long)
		holdShards(t, w.A, queue.AllShards)
		for range 20 {
			ctx, cancel := context.WithCancel(t.Context())
			waiting := receiveLater(ctx, w.A, 10, time.Hour)
			sent := make(chan error, 1)
			go func() { sent <- w.B.Send(t.Context(), numbered("k", 1)...) }()
			go cancel()
			a := <-waiting
			require.NoError(t, <-sent)
			if len(a.got) == 0 {
				require.ErrorIs(t, a.err, context.Canceled)
				a.got = receiveAll(t, w.A, 1)
			}
			require.Equal(t, []int{1}, counts(a.got))
			ack(t, w.A, a.got...)
		}
	})

	s.run("asking for less than one message is refused", func(t *testing.T, open Open) {
		_, err := open(t, long).A.Receive(t.Context(), 0, 0)
		require.ErrorContains(t, err, "ask for at least 1")
	})
}
