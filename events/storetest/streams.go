package storetest

import (
	"fmt"
	"slices"
	"strings"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/deedrun/deed/events"
)

// listing is which streams there are, and that none is taken for another.
var listing = []behaviour{
	{"streams are listed once each, sorted", func(t *trial) {
		s := t.open()
		for _, name := range []string{"process-b", "process-a", "shard-1", "process-ab", "process.x", "process..y."} {
			t.follow(s, name, record(name))
			t.follow(s, name, record(name))
		}
		assert.Equal(t, []string{"process-a", "process-ab", "process-b", "process..y.", "process.x", "shard-1"}, t.streams(s, ""))
	}},

	{"streams are listed by the beginning of their names", func(t *trial) {
		s := t.open()
		for _, name := range []string{"process-a", "process-ab", "process.x", "shard-1"} {
			t.follow(s, name, record(name))
		}
		for prefix, want := range map[string][]string{
			"process-":   {"process-a", "process-ab"},
			"process-a":  {"process-a", "process-ab"},
			"process-ab": {"process-ab"},
			"process.":   {"process.x"},
			"nothing":    nil,
		} {
			assert.ElementsMatch(t, want, t.streams(s, prefix), "prefix %q", prefix)
		}
	}},

	{"a stream is listed as soon as it exists, by whoever asks", func(t *trial) {
		one, two := t.open(), t.open()
		assert.Empty(t, t.streams(two, ""))
		for i, name := range []string{"a", "b"} {
			t.follow(one, name, record("x"))
			assert.Len(t, t.streams(two, ""), i+1)
		}
	}},

	{"hundreds of streams are listed", func(t *trial) {
		s := t.open()
		const count = 300
		for i := range count {
			t.put(s, fmt.Sprintf("s%d", i), events.NoStream(), fmt.Sprint("c", i), record("x"))
		}
		names := t.streams(s, "")
		slices.Sort(names)
		assert.Len(t, slices.Compact(names), count)
	}},

	{"the ends of many streams are their last commits", func(t *trial) {
		s := t.open()
		for i := range 6 {
			for range i%3 + 1 {
				t.follow(s, fmt.Sprint("s", i), numbered(i, i+1)...)
			}
		}
		ends := map[string]events.Commit{}
		for c, err := range s.Ends(t.ctx, "s") {
			require.NoError(t, err)
			require.NotContains(t, ends, c.Stream)
			ends[c.Stream] = c
		}
		require.Len(t, ends, 6)
		for i := range 6 {
			c := ends[fmt.Sprint("s", i)]
			assert.EqualValues(t, i%3*(i+1), c.First)
			assert.Equal(t, numbered(i, i+1), c.Events)
		}
	}},

	{"streams whose names look alike do not leak into each other", func(t *trial) {
		s := t.open()
		names := []string{"process-a", "process-ab", "process-a.b", "process-a-b", "process-a_b", "process"}
		for i, name := range names {
			for range i + 1 {
				t.follow(s, name, record(name))
			}
		}
		for i, name := range names {
			assert.Equal(t, slices.Repeat([]string{fmt.Sprintf("%q", name)}, i+1), data(t.read(s, name, 0)))
			assert.EqualValues(t, i+1, t.version(s, name))
		}
	}},

	{"a name of 128 bytes is told from another to the last of them", func(t *trial) {
		s := t.open()
		long := strings.Repeat("long.name-", 12) + "1234567"
		for i, end := range []string{"a", "b"} {
			t.put(s, long+end, events.NoStream(), end, record(end))
			assert.Len(t, t.streams(s, long), i+1)
		}
		assert.Equal(t, []string{`"b"`}, data(t.read(s, long+"b", 0)))
	}},
}
