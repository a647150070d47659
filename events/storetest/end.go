package storetest

import (
	"context"
	"fmt"
	"sync"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/deedrun/deed/events"
)

// waiting is the error that ends a Next which has nothing to give. When it
// returns, Next has begun to wait.
func (t *trial) waiting(ctx context.Context, sub events.Subscription) <-chan error {
	w := &watched{Context: ctx, begun: make(chan struct{})}
	failed := make(chan error, 1)
	go func() {
		_, _, err := sub.Next(w, true)
		failed <- err
	}()
	select {
	case <-w.begun:
	case <-t.ctx.Done():
	}
	return failed
}

// watched is a context that tells when somebody begins to wait for its end.
type watched struct {
	context.Context
	once  sync.Once
	begun chan struct{}
}

func (w *watched) Done() <-chan struct{} {
	w.once.Do(func() { close(w.begun) })
	return w.Context.Done()
}

// ending is how subscriptions and stores end, and what stays.
var ending = []behaviour{
	{"Stop ends a waiting Next, and may be called twice", func(t *trial) {
		sub := t.subscribe(t.open(), "", 0)
		failed := t.waiting(t.ctx, sub)
		sub.Stop()
		sub.Stop()
		assert.ErrorIs(t, <-failed, events.ErrStopped)
	}},

	{"after Stop nothing is given, also not what was ready", func(t *trial) {
		s := t.open()
		sub := t.subscribe(s, "", 0)
		t.put(s, "a", events.NoStream(), "c1", record("x"))
		t.put(s, "a", events.Exactly(1), "c2", record("x"))
		t.take(sub, 1)
		sub.Stop()
		for _, wait := range []bool{false, true} {
			_, ready, err := sub.Next(t.ctx, wait)
			assert.ErrorIs(t, err, events.ErrStopped)
			assert.False(t, ready)
		}
	}},

	{"the end of a Next's own context ends that Next only", func(t *trial) {
		s := t.open()
		sub := t.subscribe(s, "", 0)
		brief, cancel := context.WithCancel(t.ctx)
		failed := t.waiting(brief, sub)
		cancel()
		assert.ErrorIs(t, <-failed, context.Canceled)
		t.put(s, "a", events.NoStream(), "c1", record("x"))
		assert.Equal(t, []string{"a c1"}, labels(t.take(sub, 1)))
	}},

	{"the end of the subscription's context ends it", func(t *trial) {
		s := t.open()
		brief, cancel := context.WithCancel(t.ctx)
		defer cancel()
		sub, err := s.Subscribe(brief, "", 0)
		require.NoError(t, err)
		defer sub.Stop()
		failed := t.waiting(t.ctx, sub)
		cancel()
		assert.ErrorIs(t, <-failed, context.Canceled)
		_, _, err = sub.Next(t.ctx, false)
		assert.ErrorIs(t, err, context.Canceled)
	}},

	{"closing a store ends its subscriptions and takes no new ones; those of others go on", func(t *trial) {
		closing, other := t.open(), t.open()
		sub, staying := t.subscribe(closing, "", 0), t.subscribe(other, "", 0)
		require.NoError(t, closing.Close())
		_, _, err := sub.Next(t.ctx, true)
		assert.ErrorIs(t, err, events.ErrStopped)
		_, err = closing.Subscribe(t.ctx, "", 0)
		assert.ErrorContains(t, err, "the store is closed")
		t.put(other, "a", events.NoStream(), "c1", record("x"))
		assert.Len(t, t.take(staying, 1), 1)
	}},

	{"a store opened after a close finds events, streams and checkpoints", func(t *trial) {
		s := t.open()
		t.follow(s, "a", numbered(1, 3)...)
		for range 3 {
			t.follow(s, "b", record("x"))
		}
		fed := t.take(t.subscribe(s, "", 0), 4)
		require.NoError(t, s.Close())
		s = t.open()
		assert.ElementsMatch(t, []string{"a", "b"}, t.streams(s, ""))
		assert.Equal(t, numbers(1, 3), data(t.read(s, "a", 0)))
		assert.Equal(t, fed[3], t.take(t.subscribe(s, "", fed[2].Checkpoint), 1)[0])
		assert.EqualValues(t, 4, t.put(s, "a", events.Exactly(3), "c4", numbered(4, 1)...))
	}},

	{"what is acknowledged while the store closes is stored", func(t *trial) {
		closing := t.open()
		const writers = 3
		acknowledged := make([]int, writers)
		begun := make(chan struct{})
		var first sync.Once
		var all sync.WaitGroup
		for w := range writers {
			all.Go(func() {
				for v := range 30 {
					if _, err := closing.Append(t.ctx, fmt.Sprintf("w%d", w), events.Exactly(uint64(v)), fmt.Sprintf("%d-%d", w, v), record("x")); err != nil {
						break // it is closed
					}
					acknowledged[w]++
					first.Do(func() { close(begun) })
				}
				first.Do(func() { close(begun) })
			})
		}
		<-begun
		require.NoError(t, closing.Close())
		all.Wait()
		s := t.open()
		for w, count := range acknowledged {
			assert.GreaterOrEqual(t, len(t.read(s, fmt.Sprintf("w%d", w), 0)), count)
		}
	}},
}
