package storetest

import (
	"github.com/stretchr/testify/assert"

	"github.com/deedrun/deed/events"
)

// expecting is what an append requires of the version. Versions count events:
// the commits here have several of them.
var expecting = []behaviour{
	{"the version counts events, also when a commit has hundreds", func(t *trial) {
		s := t.open()
		assert.EqualValues(t, 1, t.put(s, "a", events.NoStream(), "c1", record("x")))
		assert.EqualValues(t, 301, t.put(s, "a", events.Exactly(1), "c2", numbered(1, 300)...))
		assert.EqualValues(t, 301, t.version(s, "a"))
	}},

	{"a stream that does not exist has version 0, whatever others have", func(t *trial) {
		s := t.open()
		t.put(s, "other", events.NoStream(), "c1", record("x"))
		assert.Zero(t, t.version(s, "nowhere"))
		_, ok, err := s.Last(t.ctx, "nowhere")
		assert.NoError(t, err)
		assert.False(t, ok)
	}},

	{"no stream is expected, or version 0, and there is one: refused", func(t *trial) {
		s := t.open()
		t.put(s, "a", events.NoStream(), "c1", record("x"))
		t.refused(s, "a", events.NoStream(), "c2", record("y"))
		t.refused(s, "a", events.Exactly(0), "c3", record("z"))
		assert.EqualValues(t, 1, t.version(s, "a"))
	}},

	{"a version is expected, and there is no stream: refused, and there is none after it", func(t *trial) {
		s := t.open()
		assert.Zero(t, t.refused(s, "a", events.Exactly(3), "c1", record("x")).Actual)
		assert.Empty(t, t.streams(s, ""), "a refused append makes no stream")
	}},

	{"a version ahead of the stream is refused", func(t *trial) {
		s := t.open()
		t.put(s, "a", events.NoStream(), "c1", record("x"))
		t.refused(s, "a", events.Exactly(9), "c2", record("y"))
		assert.EqualValues(t, 1, t.version(s, "a"))
	}},

	{"a version that the stream left long ago is refused", func(t *trial) {
		s := t.open()
		t.put(s, "a", events.NoStream(), "c1", numbered(1, 44)...)
		t.put(s, "a", events.Exactly(44), "c2", numbered(45, 256)...)
		t.refused(s, "a", events.Exactly(44), "c3", record("late"))
		assert.EqualValues(t, 300, t.version(s, "a"))
	}},

	{"a version in the middle of a commit is refused", func(t *trial) {
		s := t.open()
		t.put(s, "a", events.NoStream(), "c1", numbered(1, 5)...)
		t.refused(s, "a", events.Exactly(3), "c2", record("y"))
		assert.EqualValues(t, 5, t.version(s, "a"))
	}},

	{"a conflict says of which stream, and what was expected", func(t *trial) {
		s := t.open()
		t.put(s, "a", events.NoStream(), "c1", record("x"))
		t.put(s, "a", events.Exactly(1), "c2", record("y"))
		c := t.refused(s, "a", events.Exactly(1), "c3", record("late"))
		assert.Equal(t, &events.ConflictError{Stream: "a", Expected: events.Exactly(1), Actual: 2}, c)
	}},

	{"the version that a conflict reports is accepted", func(t *trial) {
		s := t.open()
		t.put(s, "a", events.NoStream(), "c1", record("x"))
		t.put(s, "a", events.Exactly(1), "c2", numbered(2, 4)...)
		c := t.refused(s, "a", events.Exactly(1), "c3", record("y"))
		assert.EqualValues(t, 6, t.put(s, "a", events.Exactly(c.Actual), "c3", record("y")))
	}},

	{"any version: the append makes the stream", func(t *trial) {
		s := t.open()
		assert.EqualValues(t, 2, t.put(s, "a", events.Any(), "c1", numbered(1, 2)...))
		assert.Equal(t, numbers(1, 2), data(t.read(s, "a", 0)))
	}},

	{"any version: the append follows whatever is there, whoever wrote it", func(t *trial) {
		one, two := t.open(), t.open()
		t.put(one, "a", events.NoStream(), "c1", numbered(1, 1)...)
		t.put(two, "a", events.Exactly(1), "c2", numbered(2, 1)...)
		t.put(one, "a", events.Any(), "c3", numbered(3, 1)...)
		t.put(two, "a", events.Any(), "c4", numbered(4, 1)...)
		assert.Equal(t, numbers(1, 4), data(t.read(t.open(), "a", 0)))
	}},
}
