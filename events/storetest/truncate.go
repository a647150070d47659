package storetest

import (
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/deedrun/deed/events"
)

func testReplace(t *testing.T, backend Backend) {
	t.Run("a stream that is replaced begins with that commit, goes on with the next version, and fences as before", func(t *testing.T) {
		ctx, open := several(t, backend)
		s, other := open(), open()
		must(t, ctx, s, "a", events.NoStream(), "c1", numbered(1, 3)...)
		must(t, ctx, s, "a", events.Exactly(3), "c2", numbered(4, 2)...)
		must(t, ctx, s, "b", events.NoStream(), "c1", record("untouched"))
		version, err := s.Replace(ctx, "a", events.Exactly(5), "c3", record("moved"))
		require.NoError(t, err)
		assert.EqualValues(t, 6, version)
		for _, s := range []*events.Store{s, other, open()} {
			list := read(t, ctx, s, "a", 0)
			require.Len(t, list, 1)
			assert.EqualValues(t, 6, list[0].Version)
			assert.Equal(t, []string{`"moved"`}, data(list))
			assert.Len(t, read(t, ctx, s, "b", 0), 1)
			_, err = s.Append(ctx, "a", events.NoStream(), "c4", record("x"))
			assert.EqualValues(t, 6, conflict(t, err).Actual)
			names, err := s.Streams(ctx, "")
			require.NoError(t, err)
			assert.Equal(t, []string{"a", "b"}, names)
		}
		assert.EqualValues(t, 7, must(t, ctx, other, "a", events.Exactly(6), "c4", record("after")))
		assert.Equal(t, []string{`"moved"`, `"after"`}, data(read(t, ctx, s, "a", 0)))
		assert.Equal(t, []string{`"after"`}, data(read(t, ctx, s, "a", 6)))
	})

	t.Run("a replacement repeated because its answer was lost succeeds again and writes nothing", func(t *testing.T) {
		ctx, s := store(t, backend)
		must(t, ctx, s, "a", events.NoStream(), "c1", numbered(1, 3)...)
		for range 2 {
			version, err := s.Replace(ctx, "a", events.Exactly(3), "c2", record("moved"))
			require.NoError(t, err)
			assert.EqualValues(t, 4, version)
		}
		require.NoError(t, s.Truncate(ctx, "a"))
		assert.Len(t, read(t, ctx, s, "a", 0), 1)
	})

	t.Run("a replacement at a version that is not the stream's is refused and forgets nothing", func(t *testing.T) {
		ctx, s := store(t, backend)
		must(t, ctx, s, "a", events.NoStream(), "c1", numbered(1, 3)...)
		_, err := s.Replace(ctx, "a", events.Exactly(2), "c2", record("moved"))
		assert.EqualValues(t, 3, conflict(t, err).Actual)
		assert.Len(t, read(t, ctx, s, "a", 0), 3)
	})

	t.Run("only a stream that ends with a replacement is truncated", func(t *testing.T) {
		ctx, s := store(t, backend)
		must(t, ctx, s, "a", events.NoStream(), "c1", numbered(1, 3)...)
		assert.ErrorContains(t, s.Truncate(ctx, "a"), `truncate stream "a"`)
		assert.ErrorContains(t, s.Truncate(ctx, "nowhere"), `truncate stream "nowhere"`)
		assert.Len(t, read(t, ctx, s, "a", 0), 3)
	})

	t.Run("a replacement makes a stream that is not there, and can be replaced", func(t *testing.T) {
		ctx, s := store(t, backend)
		for v := range uint64(3) {
			_, err := s.Replace(ctx, "a", events.Exactly(v), "c", record("moved"))
			require.NoError(t, err)
			assert.Len(t, read(t, ctx, s, "a", 0), 1)
		}
	})

	t.Run("a subscriber is fed the replacement, and whoever subscribes later too", func(t *testing.T) {
		ctx, s := store(t, backend)
		early := subscribe(t, ctx, s, "", 0)
		must(t, ctx, s, "a", events.NoStream(), "c1", numbered(1, 3)...)
		take(t, ctx, early, 1)
		_, err := s.Replace(ctx, "a", events.Exactly(3), "c2", record("moved"))
		require.NoError(t, err)
		replacement := take(t, ctx, early, 1)[0]
		assert.True(t, replacement.Begins)
		assert.EqualValues(t, 3, replacement.First)
		late := subscribe(t, ctx, s, "", 0)
		for {
			if c := take(t, ctx, late, 1)[0]; c.Begins {
				assert.Equal(t, replacement, c)
				return
			}
		}
	})
}
