package storetest

import (
	"fmt"
	"regexp"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/deedrun/deed/events"
)

// reading is what a stream gives back, and from where on.
var reading = []behaviour{
	{"events come back in order, as they were written, numbered from 1", func(t *trial) {
		s := t.open()
		t.put(s, "a.b_c-9", events.NoStream(), "c1", record("x"), events.Record{Type: "Other", Schema: 7, Data: []byte(`[1,2]`)})
		t.put(s, "a.b_c-9", events.Exactly(2), "c2", record("y"))
		list := t.read(s, "a.b_c-9", 0)
		require.Len(t, list, 3)
		for i := range list {
			assert.EqualValues(t, i+1, list[i].Version)
			assert.Equal(t, "a.b_c-9", list[i].Stream)
		}
		assert.Equal(t, []string{"c1", "c1", "c2"}, []string{list[0].Commit, list[1].Commit, list[2].Commit})
		assert.Equal(t, events.Record{Type: "Other", Schema: 7, Data: []byte(`[1,2]`)}, list[1].Record)
	}},

	{"an event has one ID for ever, whoever reads it, and no two have the same", func(t *trial) {
		s := t.open()
		t.put(s, "a", events.NoStream(), "c1", numbered(1, 12)...)
		t.put(s, "a", events.Exactly(12), "c2", numbered(1, 2)...)
		seen := map[string]bool{}
		uuid := regexp.MustCompile(`^[0-9a-f]{8}-[0-9a-f]{4}-5[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$`)
		list := t.read(s, "a", 0)
		for _, e := range list {
			assert.Regexp(t, uuid, e.ID)
			seen[e.ID] = true
		}
		assert.Len(t, seen, 14)
		for i, e := range t.read(t.open(), "a", 0) {
			assert.Equal(t, list[i].ID, e.ID)
		}
	}},

	{"a stream that does not exist has no events, and that is no error", func(t *trial) {
		s := t.open()
		t.put(s, "other", events.NoStream(), "c1", record("x"))
		assert.Empty(t, t.read(s, "nowhere", 0))
		assert.Empty(t, t.read(s, "nowhere", 5))
	}},

	{"a read after a commit begins with the next one", func(t *trial) {
		s := t.open()
		for _, count := range []int{1, 3, 2, 5} {
			t.follow(s, "a", numbered(int(t.versions["a"])+1, count)...)
			t.follow(s, "b", record("between"))
		}
		for _, after := range []int{0, 1, 4, 6} {
			assert.Equal(t, numbers(after+1, 11), data(t.read(s, "a", uint64(after))), "after %d", after)
		}
	}},

	{"a read from the middle of a commit gives the rest of it; by commits it is given whole", func(t *trial) {
		s := t.open()
		for i := range 3 {
			t.follow(s, "a", numbered(3*i+1, 3)...)
		}
		for _, after := range []int{1, 2, 4, 5, 7, 8} {
			assert.Equal(t, numbers(after+1, 9), data(t.read(s, "a", uint64(after))), "after %d", after)
		}
		list := t.commits(s, "a", 4)
		require.Equal(t, []string{"a a@3", "a a@6"}, labels(list))
		assert.Len(t, list[0].Events, 3)
	}},

	{"a read after the last event, or beyond, gives nothing", func(t *trial) {
		s := t.open()
		t.put(s, "a", events.NoStream(), "c1", numbered(1, 3)...)
		for _, after := range []uint64{3, 4, 1000} {
			assert.Empty(t, t.commits(s, "a", after), "after %d", after)
		}
	}},

	{"a reader may stop early, and read again", func(t *trial) {
		s := t.open()
		t.put(s, "a", events.NoStream(), "c1", numbered(1, 5)...)
		for e, err := range s.Read(t.ctx, "a", 0) {
			require.NoError(t, err)
			if e.Version == 2 {
				break
			}
		}
		assert.Len(t, t.read(s, "a", 0), 5)
	}},

	{"a long stream is read whole, and from anywhere, between others", func(t *trial) {
		s := t.open()
		const commits = 600
		for i := range commits {
			t.put(s, "long", events.Exactly(uint64(i)), fmt.Sprint("long", i), numbered(i+1, 1)...)
			if i%10 == 0 {
				t.put(s, "longer", events.Exactly(uint64(i/10)), fmt.Sprint("longer", i), record("between"))
			}
		}
		for _, after := range []int{0, 1, 255, 256, 257, 299, 511, 512, 555, 599} {
			assert.Equal(t, numbers(after+1, commits), data(t.read(s, "long", uint64(after))), "after %d", after)
		}
	}},

	{"the last commit is read whole, however long the stream", func(t *trial) {
		s := t.open()
		for i := range 5 {
			t.follow(s, "a", numbered(3*i, 3)...)
		}
		c := t.last(s, "a")
		assert.Equal(t, "a@12", c.ID)
		assert.Equal(t, "a", c.Stream)
		assert.EqualValues(t, 12, c.First)
		assert.Equal(t, numbered(12, 3), c.Events)
	}},

	{"the checkpoint of the last commit is the one that subscribers are given", func(t *trial) {
		s := t.open()
		t.follow(s, "a", numbered(1, 2)...)
		t.follow(s, "a", numbered(3, 2)...)
		assert.Equal(t, t.take(t.subscribe(s, "", 0), 2)[1].Checkpoint, t.last(s, "a").Checkpoint)
	}},

	{"the checkpoints of commits that are read are those that subscribers are given", func(t *trial) {
		s := t.open()
		var read, fed []events.Checkpoint
		for i := range 3 {
			t.follow(s, "a", numbered(i, 2)...)
			t.follow(s, "b", record("between"))
		}
		for _, c := range t.commits(s, "a", 0) {
			read = append(read, c.Checkpoint)
		}
		for _, c := range t.take(t.subscribe(s, "", 0), 6) {
			if c.Stream == "a" {
				fed = append(fed, c.Checkpoint)
			}
		}
		assert.Equal(t, fed, read)
	}},
}
