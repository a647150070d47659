package storetest

import (
	"bytes"
	"fmt"
	"sync"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/deedrun/deed/events"
)

// subscribing is what a subscriber is fed, and in which order.
var subscribing = []behaviour{
	{"what is appended while a subscriber catches up follows without a gap", func(t *trial) {
		s := t.open()
		for i := range 10 {
			t.follow(s, fmt.Sprintf("s%d", i%3), numbered(i, 2)...)
		}
		sub := t.subscribe(s, "", 0)
		got := t.take(sub, 5)
		for i := range 10 {
			t.follow(s, fmt.Sprintf("s%d", i%4), numbered(i, 2)...)
		}
		got = append(got, t.take(sub, 15)...)
		assert.Equal(t, labels(t.take(t.subscribe(s, "", 0), 20)), labels(got))
		next := map[string]uint64{}
		for _, c := range got {
			require.Equal(t, next[c.Stream], c.First, c.Stream)
			next[c.Stream] = c.Version()
		}
	}},

	{"what is appended after a subscriber caught up follows without a repeat", func(t *trial) {
		s := t.open()
		for i := range 3 {
			t.put(s, "a", events.Exactly(uint64(i)), fmt.Sprint(i), record("x"))
		}
		sub := t.subscribe(s, "", 0)
		got := t.take(sub, 3)
		for i := 3; i < 6; i++ {
			t.nothing(sub)
			t.put(s, "a", events.Exactly(uint64(i)), fmt.Sprint(i), record("x"))
			got = append(got, t.take(sub, 1)...)
		}
		t.nothing(sub)
		assert.Equal(t, []string{"a 0", "a 1", "a 2", "a 3", "a 4", "a 5"}, labels(got))
		for i := range got[1:] {
			assert.Greater(t, got[i+1].Checkpoint, got[i].Checkpoint)
		}
	}},

	{"who does not wait is fed all that was stored before hearing that there is no more", func(t *trial) {
		s := t.open()
		const commits = 100
		for range commits {
			t.follow(s, "a", record("x"))
		}
		sub := t.subscribe(s, "", 0)
		for i := range uint64(commits) {
			c, ready, err := sub.Next(t.ctx, false)
			require.NoError(t, err)
			require.True(t, ready, "commit %d", i)
			require.Equal(t, i, c.First)
		}
		t.nothing(sub)
	}},

	{"a commit is fed as it was written", func(t *trial) {
		s := t.open()
		t.put(s, "a", events.NoStream(), "c1", record("x"))
		t.put(s, "a", events.Exactly(1), "c2", numbered(1, 3)...)
		c := t.take(t.subscribe(s, "a", 0), 2)[1]
		assert.Equal(t, events.Commit{ID: "c2", Stream: "a", First: 1, Events: numbered(1, 3), Checkpoint: c.Checkpoint}, c)
		var fed []events.Event
		for e := range c.All() {
			fed = append(fed, e)
		}
		assert.Equal(t, t.read(s, "a", 0)[1:], fed, "the same events, IDs and versions as a read gives")
	}},

	{"while many append, a waiting subscriber misses no commit and has each stream in order", func(t *trial) {
		s := t.open()
		const writers, each = 6, 15
		sub := t.subscribe(s, "", 0)
		var all sync.WaitGroup
		defer all.Wait()
		for w := range writers {
			all.Go(func() {
				for v := range uint64(each) {
					_, err := s.Append(t.ctx, fmt.Sprintf("w%d", w), events.Exactly(v), fmt.Sprintf("%d-%d", w, v), record("x"))
					assert.NoError(t, err)
				}
			})
		}
		next := map[string]uint64{}
		for range writers * each {
			c := t.take(sub, 1)[0]
			require.Equal(t, next[c.Stream], c.First, c.Stream)
			next[c.Stream] = c.Version()
		}
		assert.Len(t, next, writers)
	}},

	{"all subscribers see one order, whoever wrote", func(t *trial) {
		stores := []*events.Store{t.open(), t.open()}
		var all sync.WaitGroup
		for w := range 4 {
			all.Go(func() {
				for v := range uint64(8) {
					_, err := stores[w%2].Append(t.ctx, fmt.Sprintf("w%d", w), events.Exactly(v), fmt.Sprintf("%d-%d", w, v), record("x"))
					assert.NoError(t, err)
				}
			})
		}
		all.Wait()
		assert.Equal(t, t.take(t.subscribe(stores[0], "", 0), 32), t.take(t.subscribe(stores[1], "", 0), 32))
	}},

	{"only the streams with the prefix are fed", func(t *trial) {
		s := t.open()
		for range 2 {
			for _, name := range []string{"process-a", "shard-a", "process-ab", "proc", "process.a"} {
				t.follow(s, name, record("x"))
			}
		}
		sub := t.subscribe(s, "process-", 0)
		assert.Equal(t, []string{"process-a process-a@0", "process-ab process-ab@0", "process-a process-a@1", "process-ab process-ab@1"}, labels(t.take(sub, 4)))
		t.nothing(sub)
	}},

	{"a refused append is not fed", func(t *trial) {
		s := t.open()
		sub := t.subscribe(s, "", 0)
		t.put(s, "a", events.NoStream(), "c1", record("x"))
		t.put(s, "a", events.Exactly(1), "c2", record("y"))
		t.refused(s, "a", events.Exactly(1), "late", record("late"))
		t.put(s, "a", events.Exactly(2), "c3", record("z"))
		assert.Equal(t, []string{"a c1", "a c2", "a c3"}, labels(t.take(sub, 3)))
	}},

	{"a repeated append is fed once", func(t *trial) {
		s := t.open()
		sub := t.subscribe(s, "", 0)
		t.put(s, "a", events.NoStream(), "c1", record("x"))
		for range 2 {
			t.put(s, "a", events.Exactly(1), "c2", record("y"))
		}
		t.put(s, "a", events.Exactly(2), "c3", record("z"))
		assert.Equal(t, []string{"a c1", "a c2", "a c3"}, labels(t.take(sub, 3)))
	}},

	{"a subscriber that is hundreds of commits behind loses none", func(t *trial) {
		s := t.open()
		slow := t.subscribe(s, "", 0)
		const commits = 300
		for v := range uint64(commits) {
			t.put(s, "a", events.Exactly(v), fmt.Sprint(v), record("x"))
		}
		for v, c := range t.take(slow, commits) {
			require.EqualValues(t, v, c.First)
		}
		t.nothing(slow)
	}},

	{"a subscriber that is megabytes behind delays no writer", func(t *trial) {
		s := t.open()
		slow := t.subscribe(s, "", 0)
		const commits = 40
		fill := large(64 << 10)
		for v := range uint64(commits) {
			t.put(s, "a", events.Exactly(v), fmt.Sprint(v), fill)
		}
		assert.EqualValues(t, commits-1, t.take(slow, commits)[commits-1].First)
	}},

	{"a commit of a megabyte is fed whole", func(t *trial) {
		s := t.open()
		t.put(s, "a", events.NoStream(), "c1", mega)
		c := t.take(t.subscribe(s, "", 0), 1)[0]
		require.Len(t, c.Events, 1)
		assert.True(t, bytes.Equal(mega.Data, c.Events[0].Data), "what is fed is not what was written")
	}},
}
