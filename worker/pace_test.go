package worker

import (
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

func TestAWorkerHoldsNothingInAdvanceWhereSomeTasksAreSlow(t *testing.T) {
	var p pace
	require.Zero(t, p.prefetch(0), "nothing is known yet")
	quick := func(n int) {
		for range n {
			p.took(50*time.Microsecond, 1)
		}
	}
	quick(1)
	require.Equal(t, prefetchMost, p.prefetch(0))
	require.Zero(t, p.prefetch(time.Second), "a task that runs is slow")
	p.took(50*time.Millisecond, 1)
	require.Zero(t, p.prefetch(0), "one that was slow counts at once")
	quick(4)
	require.LessOrEqual(t, p.prefetch(0), 1)
	quick(60)
	require.Greater(t, p.prefetch(0), 100, "it was the exception")

	for i := range 1000 { // every fourth takes 50 ms: one at most waits a slot
		if i%4 == 0 {
			p.took(50*time.Millisecond, 1)
		} else {
			quick(1)
		}
		require.True(t, i < 8 || p.prefetch(0) <= 1, "after %d", i)
	}
}

func TestOneTaskIsHeldForAllSlotsWhereTasksTakeAMoment(t *testing.T) {
	var p pace
	require.Zero(t, p.ahead(4, 0), "nothing is known yet")
	p.took(50*time.Millisecond, 1)
	require.Equal(t, 1, p.ahead(4, 50*time.Millisecond))
	require.Zero(t, p.ahead(4, time.Second), "a task that runs is slow")
	p.took(time.Second, 1)
	require.Zero(t, p.ahead(4, 0))
	var quick pace
	quick.took(time.Millisecond, 1)
	require.Equal(t, 4*20, quick.ahead(4, 0))
}
