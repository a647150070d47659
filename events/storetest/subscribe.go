package storetest

import (
	"context"
	"fmt"
	"strings"
	"sync"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/deedrun/deed/events"
)

// subscribe is a subscription that ends with the test.
func subscribe(t testing.TB, ctx context.Context, s *events.Store, prefix string, after events.Checkpoint) events.Subscription {
	t.Helper()
	sub, err := s.Subscribe(ctx, prefix, after)
	require.NoError(t, err)
	t.Cleanup(sub.Stop)
	return sub
}

// take waits for count commits.
func take(t testing.TB, ctx context.Context, sub events.Subscription, count int) []events.Commit {
	t.Helper()
	var list []events.Commit
	for range count {
		c, ready, err := sub.Next(ctx, true)
		require.NoError(t, err)
		require.True(t, ready)
		list = append(list, c)
	}
	return list
}

// nothing requires that the subscription has no more to give.
func nothing(t testing.TB, ctx context.Context, sub events.Subscription) {
	t.Helper()
	c, ready, err := sub.Next(ctx, false)
	require.NoError(t, err)
	assert.False(t, ready, "one commit too many: %v", c)
}

func labels(list []events.Commit) []string {
	var out []string
	for _, c := range list {
		out = append(out, c.Stream+" "+c.ID)
	}
	return out
}

func testSubscription(t *testing.T, backend Backend) {
	t.Run("what is stored comes first, then what is appended, without gap or repeat, in one order", func(t *testing.T) {
		ctx, s := store(t, backend)
		var want []string
		put := func(stream string, i int) {
			must(t, ctx, s, stream, events.Any(), fmt.Sprint(i), numbered(i, 2)...)
			want = append(want, fmt.Sprintf("%s %d", stream, i))
		}
		for i := range 10 {
			put(fmt.Sprintf("s%d", i%3), i)
		}
		sub := subscribe(t, ctx, s, "", 0)
		got := take(t, ctx, sub, 5)
		for i := range 10 {
			put(fmt.Sprintf("s%d", i%4), 10+i)
		}
		got = append(got, take(t, ctx, sub, 15)...)
		assert.Equal(t, want, labels(got))
		for i := 1; i < len(got); i++ {
			assert.Greater(t, got[i].Checkpoint, got[i-1].Checkpoint)
		}
		nothing(t, ctx, sub)
	})

	t.Run("a commit is fed as it was written", func(t *testing.T) {
		ctx, s := store(t, backend)
		must(t, ctx, s, "a", events.NoStream(), "c1", record("x"))
		must(t, ctx, s, "a", events.Exactly(1), "c2", numbered(1, 3)...)
		c := take(t, ctx, subscribe(t, ctx, s, "a", 0), 2)[1]
		assert.Equal(t, events.Commit{ID: "c2", Stream: "a", First: 1, Events: numbered(1, 3), Checkpoint: c.Checkpoint}, c)
		var fed []events.Event
		for e := range c.All() {
			fed = append(fed, e)
		}
		assert.Equal(t, read(t, ctx, s, "a", 1), fed, "the same events, IDs and versions as a read gives")
	})

	t.Run("while many append, no commit is missing and each stream is in order", func(t *testing.T) {
		ctx, s := store(t, backend)
		const writers, each = 6, 25
		var wg sync.WaitGroup
		defer wg.Wait()
		for w := range writers {
			wg.Go(func() {
				for v := range uint64(each) {
					_, err := s.Append(ctx, fmt.Sprintf("w%d", w), events.Exactly(v), fmt.Sprint(v), record("x"))
					assert.NoError(t, err)
				}
			})
		}
		next := map[string]uint64{}
		for _, c := range take(t, ctx, subscribe(t, ctx, s, "w", 0), writers*each) {
			assert.Equal(t, next[c.Stream], c.First, c.Stream)
			next[c.Stream] = c.Version()
		}
		assert.Len(t, next, writers)
	})

	t.Run("two subscribers see the same order", func(t *testing.T) {
		ctx, open := several(t, backend)
		one, two := open(), open()
		a, b := subscribe(t, ctx, one, "", 0), subscribe(t, ctx, two, "", 0)
		var wg sync.WaitGroup
		for w := range 4 {
			wg.Go(func() {
				for v := range uint64(10) {
					_, err := []*events.Store{one, two}[w%2].Append(ctx, fmt.Sprintf("w%d", w), events.Exactly(v), fmt.Sprint(v), record("x"))
					assert.NoError(t, err)
				}
			})
		}
		wg.Wait()
		assert.Equal(t, take(t, ctx, a, 40), take(t, ctx, b, 40))
	})

	t.Run("it resumes after any checkpoint with the commit that follows", func(t *testing.T) {
		ctx, open := several(t, backend)
		s := open()
		for i := range 6 {
			must(t, ctx, s, fmt.Sprintf("s%d", i%2), events.Any(), fmt.Sprint(i), record("x"))
		}
		all := take(t, ctx, subscribe(t, ctx, s, "", 0), 6)
		for i, c := range all {
			later := subscribe(t, ctx, open(), "", c.Checkpoint)
			assert.Equal(t, labels(all[i+1:]), labels(take(t, ctx, later, len(all)-i-1)))
			later.Stop()
		}
	})

	t.Run("a subscription from the last checkpoint waits for the next commit", func(t *testing.T) {
		ctx, s := store(t, backend)
		must(t, ctx, s, "a", events.NoStream(), "c1", record("x"))
		last := take(t, ctx, subscribe(t, ctx, s, "", 0), 1)[0]
		sub := subscribe(t, ctx, s, "", last.Checkpoint)
		nothing(t, ctx, sub)
		must(t, ctx, s, "a", events.Exactly(1), "c2", record("x"))
		assert.Equal(t, []string{"a c2"}, labels(take(t, ctx, sub, 1)))
	})

	t.Run("a checkpoint beyond the end is refused: it comes from another store", func(t *testing.T) {
		ctx, s := store(t, backend)
		must(t, ctx, s, "a", events.NoStream(), "c1", record("x"))
		const beyond = 1 << 50 // a backend may count bytes
		_, err := s.Subscribe(ctx, "", beyond)
		assert.ErrorContains(t, err, fmt.Sprintf("checkpoint %d is beyond the last commit", uint64(beyond)))
	})

	t.Run("only the streams with the prefix are fed", func(t *testing.T) {
		ctx, s := store(t, backend)
		for i := range 3 {
			for _, name := range []string{"process-a", "shard-a", "process-ab", "proc", "process.a"} {
				must(t, ctx, s, name, events.Any(), fmt.Sprint(i), record("x"))
			}
		}
		sub := subscribe(t, ctx, s, "process-", 0)
		got := labels(take(t, ctx, sub, 6))
		assert.Equal(t, []string{"process-a 0", "process-ab 0", "process-a 1", "process-ab 1", "process-a 2", "process-ab 2"}, got)
		nothing(t, ctx, sub)
	})

	t.Run("a refused append is not fed", func(t *testing.T) {
		ctx, s := store(t, backend)
		sub := subscribe(t, ctx, s, "", 0)
		must(t, ctx, s, "a", events.NoStream(), "c1", record("x"))
		_, err := s.Append(ctx, "a", events.NoStream(), "c2", record("y"))
		conflict(t, err)
		must(t, ctx, s, "a", events.NoStream(), "c1", record("x")) // repeated
		must(t, ctx, s, "a", events.Exactly(1), "c3", record("z"))
		assert.Equal(t, []string{"a c1", "a c3"}, labels(take(t, ctx, sub, 2)))
	})

	t.Run("a slow subscriber delays no writer and loses nothing", func(t *testing.T) {
		ctx, s := store(t, backend)
		slow := subscribe(t, ctx, s, "", 0)
		const commits = 300
		fill := record(strings.Repeat("x", 4<<10))
		for v := range uint64(commits) {
			must(t, ctx, s, "a", events.Exactly(v), fmt.Sprint(v), fill)
		}
		for v, c := range take(t, ctx, slow, commits) {
			require.EqualValues(t, v, c.First)
		}
		nothing(t, ctx, slow)
	})
}

func testSubscriptionEnd(t *testing.T, backend Backend) {
	// waiting is the error that ends a Next which has nothing to give.
	waiting := func(ctx context.Context, sub events.Subscription) <-chan error {
		failed := make(chan error, 1)
		go func() {
			_, _, err := sub.Next(ctx, true)
			failed <- err
		}()
		return failed
	}

	t.Run("Stop ends a waiting Next and all later ones, and may be called twice", func(t *testing.T) {
		ctx, s := store(t, backend)
		sub := subscribe(t, ctx, s, "", 0)
		failed := waiting(ctx, sub)
		sub.Stop()
		sub.Stop()
		assert.ErrorIs(t, <-failed, events.ErrStopped)
		must(t, ctx, s, "a", events.NoStream(), "c1", record("x"))
		_, ready, err := sub.Next(ctx, false)
		assert.ErrorIs(t, err, events.ErrStopped)
		assert.False(t, ready)
	})

	t.Run("the end of a Next's own context ends that Next only", func(t *testing.T) {
		ctx, s := store(t, backend)
		sub := subscribe(t, ctx, s, "", 0)
		brief, cancel := context.WithCancel(ctx)
		failed := waiting(brief, sub)
		cancel()
		assert.ErrorIs(t, <-failed, context.Canceled)
		must(t, ctx, s, "a", events.NoStream(), "c1", record("x"))
		assert.Equal(t, []string{"a c1"}, labels(take(t, ctx, sub, 1)))
	})

	t.Run("the end of the subscription's context ends it", func(t *testing.T) {
		ctx, s := store(t, backend)
		brief, cancel := context.WithCancel(ctx)
		sub := subscribe(t, brief, s, "", 0)
		failed := waiting(ctx, sub)
		cancel()
		assert.ErrorIs(t, <-failed, context.Canceled)
		_, _, err := sub.Next(ctx, false)
		assert.ErrorIs(t, err, context.Canceled)
	})

	t.Run("closing the store ends its subscriptions and takes no new ones; others go on", func(t *testing.T) {
		ctx, open := several(t, backend)
		closing, other := open(), open()
		sub, staying := subscribe(t, ctx, closing, "", 0), subscribe(t, ctx, other, "", 0)
		failed := waiting(ctx, sub)
		require.NoError(t, closing.Close())
		assert.ErrorIs(t, <-failed, events.ErrStopped)
		_, err := closing.Subscribe(ctx, "", 0)
		assert.ErrorContains(t, err, "the store is closed")
		must(t, ctx, other, "a", events.NoStream(), "c1", record("x"))
		assert.Len(t, take(t, ctx, staying, 1), 1)
	})
}
