package worker

import (
	"runtime"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

func TestAProgramThatIsKeptLeavesNothingBehindInMemoryWithEachTask(t *testing.T) {
	k := &keptPrograms{most: 1, patience: time.Hour}
	used := &kept{key: "k", launched: &launched{over: make(chan struct{})}}
	heap := func() int64 {
		runtime.GC()
		var m runtime.MemStats
		runtime.ReadMemStats(&m)
		return int64(m.HeapAlloc)
	}
	k.busy++
	k.give(used)
	before := heap()
	for range 50_000 {
		p, _ := k.find("k")
		require.Same(t, used, p)
		k.give(p)
	}
	require.Less(t, heap()-before, int64(1<<20))
	used.bored.Stop()
}
