package eventdriver

import (
	"fmt"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/deedrun/deed/events"
)

func TestHeads(t *testing.T) {
	t.Run("they are bounded, and what is used stays", func(t *testing.T) {
		h := newHeads(100)
		h.Put("hot", Head{Version: 1, Position: 1})
		for i := range uint64(10_000) {
			h.Put(fmt.Sprint(i), Head{Version: 1, Position: i + 2})
			_, ok := h.Get("hot", events.Any())
			require.True(t, ok)
			require.LessOrEqual(t, len(h.young)+len(h.old), 101)
		}
	})

	t.Run("an older one does not replace a later one", func(t *testing.T) {
		h := newHeads(100)
		h.Put("a", Head{Version: 5, Position: 9})
		h.Put("a", Head{Version: 3, Position: 7})
		got, _ := h.Get("a", events.Any())
		assert.Equal(t, Head{Version: 5, Position: 9}, got)
		h.Drop("a")
		_, ok := h.Get("a", events.Any())
		assert.False(t, ok)
	})

	t.Run("one that does not fit what is expected is none", func(t *testing.T) {
		h := newHeads(100)
		h.Put("a", Head{Version: 5, Position: 9})
		for expected, want := range map[events.Expected]bool{events.Exactly(5): true, events.Any(): true, events.Exactly(4): false, events.Exactly(6): false, events.NoStream(): false} {
			_, ok := h.Get("a", expected)
			assert.Equal(t, want, ok, expected)
		}
	})
}
