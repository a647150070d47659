package autoscale

import (
	"slices"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

func TestAQueueInWhichNothingEndsIsNotGivenWorkersForEver(t *testing.T) {
	limits := usual
	limits.Max = 100
	s := newSim(t, limits)
	s.took = func(at time.Duration) float64 {
		if at >= time.Minute {
			return 1e9 // what begins from now on hangs
		}
		return 0.5
	}
	s.arrive = func(time.Duration) float64 { return 6 }
	s.until(time.Minute)
	before := s.scaler.Wanted()
	require.Equal(t, 1, before)
	s.until(3 * time.Minute)
	held := s.scaler.Wanted()
	require.True(t, s.said(Held), "it says so")
	require.Contains(t, s.told[len(s.told)-1].Why, "nothing has ended for 1m0s")
	s.until(30 * time.Minute)
	require.Equal(t, []int{held}, s.changes(3*time.Minute), "whatever arrives")
	require.Less(t, held, 15)

	s.took = func(time.Duration) float64 { return 0.5 } // somebody mended it
	for _, slots := range s.workers {
		clear(slots)
	}
	s.until(32 * time.Minute)
	require.Greater(t, slices.Max(s.changes(30*time.Minute)), held, "as soon as something ends, it goes on")
}

func TestTasksThatWaitForSomethingElseThanWorkersAreNotGivenAny(t *testing.T) {
	s := newSim(t, usual)
	s.arrive = func(time.Duration) float64 { return 10 }
	s.limit = 2 // a rate, or room: whatever there is, two tasks are out at a time
	s.until(10 * time.Minute)
	require.Equal(t, []int{1}, s.changes(0))
	require.True(t, s.said(Held))
	require.Contains(t, s.told[len(s.told)-1].Why, "2 of 4 slots are free: more workers would not help")
}

func TestFiguresThatDoNotComeChangeNothing(t *testing.T) {
	limits := usual
	limits.Min = 0
	s := newSim(t, limits)
	s.waiting, s.measured = 500, 0.5
	s.away = func(at time.Duration) bool { return at >= 30*time.Second && at < 10*time.Minute }
	s.until(30 * time.Second)
	there := s.scaler.Wanted()
	require.Greater(t, there, 1)
	s.until(10 * time.Minute)
	require.Equal(t, []int{there}, s.changes(30*time.Second))
	require.Zero(t, s.figures().tasks(), "there was nothing to do all the time, but nobody could say so")
	s.until(10*time.Minute + 50*time.Second)
	require.Equal(t, []int{there}, s.changes(30*time.Second), "that was no cool-down")
	s.until(12 * time.Minute)
	require.Zero(t, s.scaler.Wanted())
}

func TestLimitsThatContradictThemselvesAreRefused(t *testing.T) {
	for _, l := range []Limits{
		{Min: -1, Max: 8, Slots: 4, Target: time.Second},
		{Min: 0, Max: 0, Slots: 4, Target: time.Second},
		{Min: 3, Max: 2, Slots: 4, Target: time.Second},
		{Min: 1, Max: 2, Slots: 0, Target: time.Second},
		{Min: 1, Max: 2, Slots: 4},
		{Min: 1, Max: 2, Slots: 4, Target: time.Second, CoolDown: -1},
	} {
		_, err := NewScaler(l)
		require.Error(t, err, "%+v", l)
	}
}
