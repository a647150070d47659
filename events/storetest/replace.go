package storetest

import (
	"fmt"
	"strings"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/deedrun/deed/events"
)

// replaced is a store with a stream of five events, the first four of which have
// been replaced by the fifth; and one with a name that begins alike.
func (t *trial) replaced() *events.Store {
	t.Helper()
	s := t.open()
	for range 4 {
		t.follow(s, "a", record("old"))
		t.follow(s, "a-b", record("neighbour"))
	}
	version, err := s.Replace(t.ctx, "a", events.Exactly(4), "moved", record("moved"))
	require.NoError(t, err)
	require.EqualValues(t, 5, version)
	return s
}

// replacing is a history that has been moved elsewhere: one commit in place of
// what was before it.
var replacing = []behaviour{
	{"a stream that was replaced begins with what replaced it, wherever a reader begins", func(t *trial) {
		t.replaced()
		for after := range uint64(5) {
			list := t.read(t.open(), "a", after)
			require.Len(t, list, 1, "after %d", after)
			assert.EqualValues(t, 5, list[0].Version)
			assert.Equal(t, []string{`"moved"`}, data(list))
		}
	}},

	{"a reader who is under way when a stream is replaced goes on with what replaced it, or with what was there", func(t *trial) {
		s, part := t.open(), record(strings.Repeat("x", 500_000)) // more than a backend reads at once
		for range 6 {
			t.follow(s, "a", part, part, part)
		}
		var version uint64
		for c, err := range t.open().ReadCommits(t.ctx, "a", 0) {
			require.NoError(t, err)
			if version == 0 {
				_, err := s.Replace(t.ctx, "a", events.Exactly(18), "moved", record("moved"))
				require.NoError(t, err)
			}
			assert.True(t, c.First == version || c.ID == "moved", "commit %q after version %d", c.ID, version)
			version = c.Version()
		}
		assert.GreaterOrEqual(t, version, uint64(18))
	}},

	{"a stream that was replaced is not gone: none is expected, and that is refused", func(t *trial) {
		s := t.replaced()
		t.refused(s, "a", events.NoStream(), "c1", record("x"))
		t.refused(t.open(), "a", events.NoStream(), "c1", record("x"))
	}},

	{"a stream that was replaced goes on with the next version", func(t *trial) {
		s := t.replaced()
		assert.EqualValues(t, 5, t.version(t.open(), "a"))
		assert.EqualValues(t, 6, t.put(s, "a", events.Exactly(5), "next", record("next")))
		assert.Equal(t, []string{`"moved"`, `"next"`}, data(t.read(t.open(), "a", 4)))
	}},

	{"a replacement that is repeated succeeds again", func(t *trial) {
		version, err := t.replaced().Replace(t.ctx, "a", events.Exactly(4), "moved", record("moved"))
		require.NoError(t, err)
		assert.EqualValues(t, 5, version)
	}},

	{"a replacement may be the first of a stream, and be replaced", func(t *trial) {
		s := t.open()
		for v := range uint64(3) {
			_, err := s.Replace(t.ctx, "a", events.Exactly(v), fmt.Sprint("moved", v), record("moved"))
			require.NoError(t, err)
		}
		assert.EqualValues(t, 3, t.version(s, "a"))
	}},

	{"what replaced the rest stays, however often it is truncated", func(t *trial) {
		s := t.replaced()
		for range 2 {
			require.NoError(t, s.Truncate(t.ctx, "a"))
		}
		assert.Equal(t, "moved", t.commits(s, "a", 4)[0].ID)
	}},

	{"a stream that nothing was to replace is not truncated", func(t *trial) {
		s := t.open()
		t.follow(s, "a", record("x"))
		t.follow(s, "a", record("y"))
		require.ErrorContains(t, s.Truncate(t.ctx, "a"), "was not made to replace")
		require.Error(t, s.Truncate(t.ctx, "nowhere"))
		assert.Len(t, t.read(s, "a", 0), 2)
	}},

	{"a replacement that is refused forgets nothing", func(t *trial) {
		s := t.open()
		for range 3 {
			t.follow(s, "a", record("x"))
		}
		_, err := s.Replace(t.ctx, "a", events.Exactly(2), "moved", record("moved"))
		var conflict *events.ConflictError
		require.ErrorAs(t, err, &conflict)
		assert.Len(t, t.read(s, "a", 0), 3)
	}},

	{"other streams lose nothing when one is replaced", func(t *trial) {
		assert.Len(t, t.read(t.replaced(), "a-b", 0), 4)
	}},

	{"a stream that was replaced is still listed", func(t *trial) {
		s := t.replaced()
		assert.Contains(t, t.streams(s, ""), "a")
		assert.Contains(t, t.streams(t.open(), ""), "a")
	}},

	{"a new subscriber is fed what replaced the rest", func(t *trial) {
		s := t.replaced()
		t.put(s, "z", events.NoStream(), "end", record("end"))
		sub := t.subscribe(s, "", 0)
		var fed []string
		for len(fed) == 0 || fed[len(fed)-1] != "z end" {
			fed = append(fed, labels(t.take(sub, 1))...)
		}
		require.GreaterOrEqual(t, len(fed), 2)
		assert.Equal(t, "a moved", fed[len(fed)-2], "what was before may be fed or not, %q were", fed)
	}},

	{"a subscriber that was there sees a replacement marked as one", func(t *trial) {
		s := t.open()
		sub := t.subscribe(s, "", 0)
		t.put(s, "a", events.NoStream(), "c1", record("x"))
		t.take(sub, 1)
		_, err := s.Replace(t.ctx, "a", events.Exactly(1), "moved", record("moved"))
		require.NoError(t, err)
		c := t.take(sub, 1)[0]
		assert.Equal(t, "moved", c.ID)
		assert.EqualValues(t, 1, c.First)
		assert.True(t, c.Begins)
	}},

	{"the checkpoint of a commit that was forgotten still serves", func(t *trial) {
		s := t.open()
		for i := range uint64(3) {
			t.put(s, "a", events.Exactly(i), fmt.Sprint(i), record("old"))
		}
		t.put(s, "b", events.NoStream(), "b", record("x"))
		seen := t.take(t.subscribe(s, "", 0), 2)[1].Checkpoint
		_, err := s.Replace(t.ctx, "a", events.Exactly(3), "moved", record("moved"))
		require.NoError(t, err)
		sub := t.subscribe(s, "", seen)
		var fed []string
		for len(fed) == 0 || fed[len(fed)-1] != "a moved" {
			fed = append(fed, labels(t.take(sub, 1))...)
		}
		assert.Contains(t, fed, "b b")
	}},
}
