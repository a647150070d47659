package orchestrator

import (
	"fmt"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

func TestTimersOfAProcessThatHasEndedAreGoneAndTheOthersComeInOrder(t *testing.T) {
	var all timers
	at := time.Date(2026, 1, 1, 12, 0, 0, 0, time.UTC)
	for i := range 30 {
		all.set(at.Add(time.Duration(i/6)*time.Minute), fmt.Sprintf("p%d", i%3), i)
	}
	all.set(at, "p1", resend{})
	all.drop("p0")
	all.forget("p1")
	first, ok := all.next()
	require.True(t, ok)
	require.Equal(t, at, first)

	var came []any
	for _, x := range all.due(at.Add(2 * time.Minute)) {
		came = append(came, x.what)
	}
	require.Equal(t, []any{2, 5, resend{}, 8, 11, 14, 17}, came, "of equals the one that was set first")
	all.drop("p2")
	_, ok = all.next()
	require.False(t, ok)
	require.Empty(t, all.of)
}
