package storetest

import (
	"context"
	"fmt"
	"sync"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/deedrun/deed/events"
)

// retrying is what a caller does who does not know whether its append was
// stored.
var retrying = []behaviour{
	{"an append repeated because its answer was lost succeeds again and writes nothing", func(t *trial) {
		s := t.open()
		t.put(s, "a", events.NoStream(), "c1", numbered(1, 2)...)
		t.put(s, "a", events.Exactly(2), "c2", numbered(3, 2)...)
		for range 2 {
			assert.EqualValues(t, 4, t.put(s, "a", events.Exactly(2), "c2", numbered(3, 2)...))
		}
		assert.Equal(t, numbers(1, 4), data(t.read(s, "a", 0)))
	}},

	{"the repeat may come from another process", func(t *trial) {
		s := t.open()
		t.put(s, "a", events.NoStream(), "c1", numbered(1, 1)...)
		t.put(s, "a", events.Exactly(1), "c2", numbered(2, 1)...)
		assert.EqualValues(t, 2, t.put(t.open(), "a", events.Exactly(1), "c2", numbered(2, 1)...))
		assert.Equal(t, numbers(1, 2), data(t.read(s, "a", 0)))
	}},

	{"a repeat of a commit that another one followed is a conflict", func(t *trial) {
		s := t.open()
		for i := range 3 {
			t.put(s, "a", events.Exactly(uint64(i)), fmt.Sprint(i), record("x"))
		}
		t.refused(s, "a", events.Exactly(1), "1", record("x"))
	}},

	{"the same commit ID at another version is another append", func(t *trial) {
		s := t.open()
		t.put(s, "a", events.NoStream(), "c1", numbered(1, 1)...)
		t.put(s, "a", events.Exactly(1), "c1", numbered(2, 1)...)
		assert.Equal(t, numbers(1, 2), data(t.read(s, "a", 0)))
	}},

	{"the same commit ID on another stream is another append", func(t *trial) {
		s := t.open()
		t.put(s, "a", events.NoStream(), "c1", record("x"))
		t.put(s, "b", events.NoStream(), "c1", record("x"))
		assert.Len(t, t.read(s, "b", 0), 1)
	}},

	{"an append and its repeat at once both succeed, and are stored once", func(t *trial) {
		s := t.open()
		t.put(s, "a", events.NoStream(), "c0", numbered(0, 1)...)
		var both sync.WaitGroup
		for range 2 {
			both.Go(func() {
				_, err := s.Append(t.ctx, "a", events.Exactly(1), "c1", numbered(1, 1)...)
				assert.NoError(t, err)
			})
		}
		both.Wait()
		assert.Equal(t, numbers(0, 1), data(t.read(s, "a", 0)))
	}},

	{"an append that was given up may be repeated: then it is stored, once", func(t *trial) {
		s := t.open()
		const rounds = 12
		for i := range rounds {
			brief, cancel := context.WithCancel(t.ctx)
			var giveUp sync.WaitGroup
			if i == 0 {
				cancel() // before it began; later at any moment
			} else {
				giveUp.Go(cancel)
			}
			_, err := s.Append(brief, "a", events.Exactly(uint64(i)), fmt.Sprint("c", i), numbered(i, 1)...)
			giveUp.Wait()
			if err != nil {
				require.ErrorIs(t, err, context.Canceled)
			}
			assert.EqualValues(t, i+1, t.put(s, "a", events.Exactly(uint64(i)), fmt.Sprint("c", i), numbered(i, 1)...))
		}
		assert.Equal(t, numbers(0, rounds-1), data(t.read(s, "a", 0)))
	}},
}
