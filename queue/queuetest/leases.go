package queuetest

import (
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

func runLeases(s suite) {
	s.run("a queue says how long its lease is", func(t *testing.T, open Open) {
		w := open(t, 90*time.Second)
		assert.Equal(t, 90*time.Second, w.A.Lease())
		assert.Equal(t, 90*time.Second, w.B.Lease())
	})

	s.run("a leased message is nobody else's", func(t *testing.T, open Open) {
		w := open(t, long)
		send(t, w.A, numbered("k", 1)...)
		receiveAll(t, w.A, 1)
		assert.Empty(t, receive(t, w.B, 1, 0))
		assert.Empty(t, receive(t, w.A, 1, 0))
	})

	s.run("a message whose lease ran out is delivered again and again, each time with a higher count", func(t *testing.T, open Open) {
		w := open(t, short)
		send(t, w.A, numbered("k", 1)...)
		assert.Equal(t, []int{1}, counts(receiveAll(t, w.A, 1)))
		assert.Equal(t, []int{2}, counts(w.receiveAgain(t, w.B, 1)))
		assert.Equal(t, []int{3}, counts(w.receiveAgain(t, w.A, 1)))
		last := w.receiveAgain(t, w.A, 1)
		assert.Equal(t, []int{4}, counts(last))
		assert.Equal(t, []string{"0"}, bodies(last))
		ack(t, w.A, last...)
		pendingBecomes(t, w.A, "k", 0)
	})

	s.run("only what was not acked is delivered again", func(t *testing.T, open Open) {
		w := open(t, short)
		send(t, w.A, numbered("k", 6)...)
		got := receiveAll(t, w.A, 6)
		ack(t, w.A, got[0], got[2], got[4])

		again := w.receiveAgain(t, w.B, 3)
		assert.ElementsMatch(t, []string{"1", "3", "5"}, bodies(again))
		assert.Equal(t, []int{2, 2, 2}, counts(again))
		ack(t, w.B, again...)
		pendingBecomes(t, w.B, "k", 0)
	})

	s.run("a lease that is extended in time does not run out", func(t *testing.T, open Open) {
		for range 5 {
			w := open(t, short)
			send(t, w.A, numbered("k", 2)...)
			held := receiveAll(t, w.A, 2)
			if w.hold(t, w.A, held) {
				ack(t, w.A, held...)
				pendingBecomes(t, w.A, "k", 0)
				return
			}
		}
		t.Skip("the machine is too slow to keep a lease")
	})

	s.run("a lease that is no longer extended runs out", func(t *testing.T, open Open) {
		w := open(t, short)
		send(t, w.A, numbered("k", 1)...)
		require.NoError(t, w.A.Extend(t.Context(), receiveAll(t, w.A, 1)...))
		assert.Equal(t, []int{2}, counts(w.receiveAgain(t, w.B, 1)))
	})

	s.run("acking twice is no error", func(t *testing.T, open Open) {
		w := open(t, short)
		send(t, w.A, numbered("k", 2)...)
		got := receiveAll(t, w.A, 2)
		ack(t, w.A, got[0], got[0])
		ack(t, w.A, got[0])
		assert.Equal(t, []string{"1"}, bodies(w.receiveAgain(t, w.B, 1)))
	})

	s.run("acking or extending after somebody else acked is no error", func(t *testing.T, open Open) {
		w := open(t, short)
		send(t, w.A, numbered("k", 1)...)
		first := receiveAll(t, w.A, 1)
		ack(t, w.B, w.receiveAgain(t, w.B, 1)...)
		pendingBecomes(t, w.B, "k", 0)

		require.NoError(t, w.A.Extend(t.Context(), first...))
		ack(t, w.A, first...)
		w.pass(t, 2*short)
	})

	s.run("a late ack ends the message, whoever holds it by now", func(t *testing.T, open Open) {
		w := open(t, short)
		send(t, w.A, numbered("k", 1)...)
		first := receiveAll(t, w.A, 1)
		second := w.receiveAgain(t, w.B, 1)
		ack(t, w.A, first...)
		pendingBecomes(t, w.A, "k", 0)
		w.pass(t, 2*short)
		ack(t, w.B, second...)
	})
}
