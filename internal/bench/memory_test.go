package bench

import (
	"runtime"
	"testing"

	"github.com/stretchr/testify/require"
)

func TestMemoryIsLookedAtWheneverAnotherTenthIsDone(t *testing.T) {
	for _, total := range []int{10, 97, 1000} {
		runtime.GC() // nothing is known to be live before the first
		seen := newMemoryCourse(total)
		for done := range total {
			seen.note(done + 1)
		}
		require.Len(t, seen.course()["live_heap_bytes"], samples, "of %d", total)
		for _, live := range seen.course()["live_heap_bytes"] {
			require.Positive(t, live)
		}
	}
	seen := newMemoryCourse(4)
	for done := range 4 {
		seen.note(done + 1)
	}
	require.Len(t, seen.live, 4, "there are no more looks than pieces of work")
}
