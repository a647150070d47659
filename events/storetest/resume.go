package storetest

import (
	"fmt"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/deedrun/deed/events"
)

// resuming is a subscription that begins at a checkpoint.
var resuming = []behaviour{
	{"after any checkpoint the commit that follows is fed, in another process too", func(t *trial) {
		s := t.open()
		for i := range 7 {
			t.follow(s, fmt.Sprintf("s%d", i%2), numbered(i, 2)...)
		}
		all := t.take(t.subscribe(s, "", 0), 7)
		for i, c := range all[:6] {
			later := t.subscribe(t.open(), "", c.Checkpoint)
			assert.Equal(t, labels(all[i+1:]), labels(t.take(later, len(all)-i-1)))
			later.Stop()
		}
	}},

	{"after the last checkpoint the next commit is awaited", func(t *trial) {
		s := t.open()
		t.put(s, "a", events.NoStream(), "c1", record("x"))
		last := t.take(t.subscribe(s, "", 0), 1)[0]
		sub := t.subscribe(s, "", last.Checkpoint)
		t.nothing(sub)
		t.put(s, "a", events.Exactly(1), "c2", record("x"))
		t.put(s, "a", events.Exactly(2), "c3", record("x"))
		assert.Equal(t, []string{"a c2", "a c3"}, labels(t.take(sub, 2)))
	}},

	{"a checkpoint serves for any prefix", func(t *trial) {
		s := t.open()
		for range 3 {
			t.follow(s, "other", record("x"))
			t.follow(s, "another", record("x"))
			t.follow(s, "mine", record("x"))
		}
		mine := t.take(t.subscribe(s, "mine", 0), 2)
		assert.Equal(t, []string{"other other@2", "another another@2"}, labels(t.take(t.subscribe(s, "", mine[1].Checkpoint), 2)))
	}},

	{"a checkpoint beyond the last commit is refused: it comes from another store", func(t *trial) {
		s := t.open()
		t.put(s, "a", events.NoStream(), "c1", record("x"))
		const beyond = 1 << 50 // a backend may count bytes
		_, err := s.Subscribe(t.ctx, "", beyond)
		require.ErrorContains(t, err, fmt.Sprintf("checkpoint %d is beyond the last commit", uint64(beyond)))
	}},
}
