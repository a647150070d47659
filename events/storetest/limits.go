package storetest

import (
	"bytes"
	"context"
	"slices"
	"strings"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/deedrun/deed/events"
)

// over is a context that has ended.
func (t *trial) over() context.Context {
	ctx, cancel := context.WithCancel(t.ctx)
	cancel()
	return ctx
}

// Events of a size, made once.
var (
	halfMega  = large(1 << 19)
	mega      = large(1 << 20)
	eightMega = large(8 << 20)
)

// large is an event whose data is a JSON string of size bytes.
func large(size int) events.Record {
	return events.Record{Type: "Noted", Schema: 1, Data: []byte(`"` + strings.Repeat("x", size) + `"`)}
}

// limits is what fits into a commit, and what happens beyond, or when the
// caller has no time left.
var limits = []behaviour{
	{"an event of a megabyte fits", func(t *trial) {
		s := t.open()
		t.put(s, "a", events.NoStream(), "c1", mega)
		list := t.read(s, "a", 0)
		require.Len(t, list, 1)
		assert.True(t, bytes.Equal(mega.Data, list[0].Data), "what is read is not what was written")
	}},

	{"a commit of five megabytes fits", func(t *trial) {
		s := t.open()
		t.put(s, "a", events.NoStream(), "c1", slices.Repeat([]events.Record{halfMega}, 10)...)
		assert.EqualValues(t, 10, t.version(s, "a"))
	}},

	{"a commit of a thousand events fits", func(t *trial) {
		s := t.open()
		t.put(s, "a", events.NoStream(), "c1", numbered(1, 1000)...)
		assert.Equal(t, numbers(1, 1000), data(t.read(s, "a", 0)))
	}},

	{"a commit beyond what the backend takes is too large, and nothing is written", func(t *trial) {
		s := t.open()
		_, err := s.Append(t.ctx, "a", events.NoStream(), "c1", record("fits"), eightMega)
		require.ErrorIs(t, err, events.ErrTooLarge)
		assert.ErrorContains(t, err, `append to stream "a"`)
		assert.Zero(t, t.version(s, "a"))
	}},

	{"when the caller's context is over, nothing is written", func(t *trial) {
		s := t.open()
		t.put(s, "a", events.NoStream(), "c1", record("x"))
		_, err := s.Append(t.over(), "a", events.Exactly(1), "c2", record("y"))
		require.ErrorIs(t, err, context.Canceled)
		assert.EqualValues(t, 1, t.version(s, "a"))
	}},

	{"when the caller's context is over, nothing is read", func(t *trial) {
		s := t.open()
		t.put(s, "a", events.NoStream(), "c1", record("x"))
		count := 0
		for _, err := range s.Read(t.over(), "a", 0) {
			require.ErrorIs(t, err, context.Canceled)
			count++
		}
		assert.Equal(t, 1, count, "the error is all there is")
	}},

	{"when the caller's context is over, the end of a stream and the list of streams are not known", func(t *trial) {
		s := t.open()
		t.put(s, "a", events.NoStream(), "c1", record("x"))
		_, err := s.Version(t.over(), "a")
		require.ErrorIs(t, err, context.Canceled)
		_, err = s.Streams(t.over(), "")
		require.ErrorIs(t, err, context.Canceled)
	}},

	{"when the caller's context is over, nobody is subscribed", func(t *trial) {
		_, err := t.open().Subscribe(t.over(), "", 0)
		require.ErrorIs(t, err, context.Canceled)
	}},
}
