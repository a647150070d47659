package storetest

import (
	"fmt"
	"regexp"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/deedrun/deed/events"
)

func testRead(t *testing.T, backend Backend) {
	t.Run("events come back in order, as they were written, numbered from 1", func(t *testing.T) {
		ctx, s := store(t, backend)
		must(t, ctx, s, "a.b_c-9", events.NoStream(), "c1", record("x"), events.Record{Type: "Other", Schema: 7, Data: []byte(`[1,2]`)})
		must(t, ctx, s, "a.b_c-9", events.Exactly(2), "c2", record("y"))
		list := read(t, ctx, s, "a.b_c-9", 0)
		require.Len(t, list, 3)
		for i := range list {
			assert.EqualValues(t, i+1, list[i].Version)
			assert.Equal(t, "a.b_c-9", list[i].Stream)
		}
		assert.Equal(t, []string{"c1", "c1", "c2"}, []string{list[0].Commit, list[1].Commit, list[2].Commit})
		assert.Equal(t, events.Record{Type: "Other", Schema: 7, Data: []byte(`[1,2]`)}, list[1].Record)
	})

	t.Run("an event has one ID for ever, and no two have the same", func(t *testing.T) {
		ctx, open := several(t, backend)
		s := open()
		must(t, ctx, s, "a", events.NoStream(), "c1", numbered(1, 12)...)
		must(t, ctx, s, "a", events.Exactly(12), "c2", numbered(1, 2)...)
		seen := map[string]bool{}
		uuid := regexp.MustCompile(`^[0-9a-f]{8}-[0-9a-f]{4}-5[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$`)
		first := read(t, ctx, s, "a", 0)
		for _, e := range first {
			assert.Regexp(t, uuid, e.ID)
			seen[e.ID] = true
		}
		assert.Len(t, seen, 14)
		assert.Equal(t, first, read(t, ctx, open(), "a", 0))
	})

	t.Run("a stream that does not exist has no events, and that is no error", func(t *testing.T) {
		ctx, s := store(t, backend)
		must(t, ctx, s, "other", events.NoStream(), "c1", record("x"))
		assert.Empty(t, read(t, ctx, s, "nowhere", 0))
		assert.Empty(t, read(t, ctx, s, "nowhere", 5))
	})

	t.Run("a read after a version begins with the next event, in the middle of a commit too", func(t *testing.T) {
		ctx, s := store(t, backend)
		for i := range 4 {
			must(t, ctx, s, "a", events.Exactly(uint64(3*i)), fmt.Sprint(i), numbered(3*i+1, 3)...)
			must(t, ctx, s, "b", events.Any(), fmt.Sprint(i), record("between"))
		}
		for after := range uint64(14) {
			var want []string
			for n := after + 1; n <= 12; n++ {
				want = append(want, fmt.Sprintf(`{"n":%d}`, n))
			}
			assert.Equal(t, want, data(read(t, ctx, s, "a", after)), "after %d", after)
		}
	})

	t.Run("commits are read whole, from the one that holds the next event", func(t *testing.T) {
		ctx, s := store(t, backend)
		must(t, ctx, s, "a", events.NoStream(), "c1", numbered(1, 2)...)
		must(t, ctx, s, "a", events.Exactly(2), "c2", numbered(3, 3)...)
		var got []string
		for c, err := range s.ReadCommits(ctx, "a", 3) {
			require.NoError(t, err)
			got = append(got, fmt.Sprintf("%s %s %d-%d", c.Stream, c.ID, c.First, c.Version()))
			assert.Len(t, c.Events, 3)
			assert.NotZero(t, c.Checkpoint)
		}
		assert.Equal(t, []string{"a c2 2-5"}, got)
	})

	t.Run("a reader may stop early", func(t *testing.T) {
		ctx, s := store(t, backend)
		must(t, ctx, s, "a", events.NoStream(), "c1", numbered(1, 5)...)
		for e, err := range s.Read(ctx, "a", 0) {
			require.NoError(t, err)
			if e.Version == 2 {
				break
			}
		}
		assert.Len(t, read(t, ctx, s, "a", 0), 5)
	})

	t.Run("a long stream is read whole, and from anywhere, between others", func(t *testing.T) {
		ctx, s := store(t, backend)
		const commits = 650
		for i := range uint64(commits) {
			must(t, ctx, s, "long", events.Exactly(2*i), fmt.Sprint(i), numbered(int(2*i+1), 2)...)
			if i%3 == 0 {
				must(t, ctx, s, "longer", events.Any(), fmt.Sprint(i), record("between"))
			}
		}
		for _, after := range []uint64{0, 1, 998, 999, 1000, 1001, 1111, 1298, 1299, 1300, 1301} {
			list := read(t, ctx, s, "long", after)
			require.Len(t, list, max(0, 2*commits-int(after)), "after %d", after)
			for i, e := range list {
				require.Equal(t, fmt.Sprintf(`{"n":%d}`, after+uint64(i)+1), string(e.Data))
			}
		}
	})

	t.Run("text of any script, escapes and numbers of any size come back byte for byte", func(t *testing.T) {
		ctx, s := store(t, backend)
		var records []events.Record
		for _, d := range []string{
			`"naïve 日本語 🦉 \u2028 <b>&amp;</b>"`, `{"a":1.0,"b":12345678901234567890,"a":2}`, `{ "spaced" : [ 1 , 2 ] }`, "[\n\t1\n]", `null`, `"\u0000\ud800"`, `""`, `0`,
		} {
			records = append(records, events.Record{Type: `Ty"pe\ é <x>`, Schema: -1, Data: []byte(d)})
		}
		must(t, ctx, s, "a", events.NoStream(), `commit "ü" \ 1`, records...)
		list := read(t, ctx, s, "a", 0)
		require.Len(t, list, len(records))
		for i, e := range list {
			assert.Equal(t, records[i], e.Record)
			assert.Equal(t, `commit "ü" \ 1`, e.Commit)
		}
	})

	t.Run("white space around the data is not kept", func(t *testing.T) {
		ctx, s := store(t, backend)
		must(t, ctx, s, "a", events.NoStream(), "c1", events.Record{Type: "T", Data: []byte(" \n{} \t")})
		assert.Equal(t, []string{"{}"}, data(read(t, ctx, s, "a", 0)))
	})

	t.Run("an event of a megabyte, and a commit of five, fit", func(t *testing.T) {
		ctx, s := store(t, backend)
		big := record(strings.Repeat("x", 1<<20))
		must(t, ctx, s, "a", events.NoStream(), "c1", big)
		must(t, ctx, s, "a", events.Exactly(1), "c2", big, big, big, big, big)
		list := read(t, ctx, s, "a", 0)
		require.Len(t, list, 6)
		for _, e := range list {
			require.Len(t, e.Data, len(big.Data))
		}
	})

	t.Run("what a caller does to its slices afterwards changes nothing stored", func(t *testing.T) {
		ctx, s := store(t, backend)
		mine := numbered(1, 2)
		must(t, ctx, s, "a", events.NoStream(), "c1", mine...)
		mine[0].Data[1], mine[1] = 'X', record("other")
		for _, e := range read(t, ctx, s, "a", 0) {
			e.Data[1] = 'Y'
		}
		assert.Equal(t, []string{`{"n":1}`, `{"n":2}`}, data(read(t, ctx, s, "a", 0)))
	})
}

func testStreams(t *testing.T, backend Backend) {
	t.Run("streams are listed by prefix, sorted", func(t *testing.T) {
		ctx, s := store(t, backend)
		for _, name := range []string{"process-b", "process-a", "shard-1", "process-ab", "process.x", "process..y."} {
			must(t, ctx, s, name, events.NoStream(), "c1", record(name))
			must(t, ctx, s, name, events.Exactly(1), "c2", record(name))
		}
		for prefix, want := range map[string][]string{
			"":           {"process-a", "process-ab", "process-b", "process..y.", "process.x", "shard-1"},
			"process-":   {"process-a", "process-ab", "process-b"},
			"process-a":  {"process-a", "process-ab"},
			"process.":   {"process..y.", "process.x"},
			"process-ab": {"process-ab"},
			"nothing":    nil,
		} {
			got, err := s.Streams(ctx, prefix)
			require.NoError(t, err)
			assert.Equal(t, want, got, "prefix %q", prefix)
		}
	})

	t.Run("streams whose names begin alike do not leak into each other", func(t *testing.T) {
		ctx, s := store(t, backend)
		names := []string{"process-a", "process-ab", "process-a.b", "process-a-b", "process"}
		for _, name := range names {
			must(t, ctx, s, name, events.NoStream(), "c1", record(name))
		}
		for _, name := range names {
			assert.Equal(t, []string{fmt.Sprintf("%q", name)}, data(read(t, ctx, s, name, 0)))
			version, err := s.Version(ctx, name)
			require.NoError(t, err)
			assert.EqualValues(t, 1, version)
		}
	})
}
