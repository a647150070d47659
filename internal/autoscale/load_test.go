package autoscale

import (
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

var usual = Limits{Min: 1, Max: 8, Slots: 4, Target: 10 * time.Second, CoolDown: time.Minute}

func TestALoadThatRisesAndFallsTenfoldIsFollowed(t *testing.T) {
	s := newSim(t, usual)
	s.arrive = func(at time.Duration) float64 { // tasks of half a second: 2.4 slots are busy, then 24
		if at >= time.Minute && at < 4*time.Minute {
			return 48
		}
		return 4.8
	}
	s.until(time.Minute)
	require.Equal(t, []int{1}, s.changes(0))
	s.until(4 * time.Minute)
	peak := s.trace[len(s.trace)-1]
	require.GreaterOrEqual(t, peak.workers, 6, "24 slots are busy all the time")
	require.LessOrEqual(t, peak.workers, 8)
	require.LessOrEqual(t, peak.tasks, 24*2*11, "the backlog settles at about the target")
	s.until(7 * time.Minute)
	require.Equal(t, 1, s.trace[len(s.trace)-1].workers)
	require.Less(t, s.trace[len(s.trace)-1].tasks, 10)
	numbers := s.changes(0)
	up, down := 0, 0
	for i := 1; i < len(numbers); i++ {
		if numbers[i] > numbers[i-1] {
			up++
		} else {
			down++
		}
	}
	require.LessOrEqual(t, up+down, 16, "it goes up, and down, and no more: %v", numbers)
}

func TestALoadThatFlapsDoesNotMakeWorkersFlap(t *testing.T) {
	s := newSim(t, usual)
	s.arrive = func(at time.Duration) float64 { // ten seconds on, thirty off
		if at%(40*time.Second) < 10*time.Second {
			return 60
		}
		return 0
	}
	s.until(10 * time.Minute)
	require.Len(t, s.changes(time.Minute), 1, "%v", s.changes(0))
	require.Greater(t, s.trace[len(s.trace)-1].workers, 1)
}

func TestFromZeroOnOneWaitingTaskAndBackToZero(t *testing.T) {
	limits := usual
	limits.Min = 0
	s := newSim(t, limits)
	s.until(30 * time.Second)
	require.Equal(t, []int{0}, s.changes(0))
	s.waiting = 1
	s.until(40 * time.Second)
	require.Equal(t, []int{0, 1}, s.changes(0))
	require.Zero(t, s.figures().tasks(), "it was done")
	s.until(3 * time.Minute)
	require.Equal(t, []int{0, 1, 0}, s.changes(0))
	require.Equal(t, "1 task, and none has ended yet: a slot for each: 0 -> 1", s.told[1].String())
	require.Equal(t, "none wanted for 1m0s, now no work: 1 -> 0", s.told[3].String())
}

func TestAtMostTwiceAsManyAndOneMoreAtATime(t *testing.T) {
	limits := usual
	limits.Max = 100
	s := newSim(t, limits)
	s.waiting, s.measured = 100_000, 0.5
	s.until(20 * time.Second)
	require.Equal(t, []int{1, 3, 7, 15, 31, 63, 100}, s.changes(0))
}

func TestWorkersThatDoNotComeToLifeAreNotDoubled(t *testing.T) {
	s := newSim(t, usual)
	s.waiting, s.starts = 1000, time.Hour
	s.until(5 * time.Minute)
	s.young = nil
	require.LessOrEqual(t, s.scaler.Wanted(), 3)
}

func TestThereAreNeverMoreSlotsThanTasks(t *testing.T) {
	s := newSim(t, usual)
	s.took = func(time.Duration) float64 { return 3600 }
	s.measured = 3600
	s.waiting = 6
	s.until(10 * time.Minute)
	require.Equal(t, 2, s.scaler.Wanted(), "six tasks of an hour fill two workers of four slots")
}

func TestTasksOfAnHourGetASlotEachHoweverLateTheyCome(t *testing.T) {
	s := newSim(t, usual)
	s.took = func(time.Duration) float64 { return 3600 }
	s.waiting = 2
	s.until(5 * time.Minute)
	require.Equal(t, 1, s.scaler.Wanted())
	s.waiting += 20
	s.until(6 * time.Minute)
	require.Equal(t, 6, s.scaler.Wanted(), "that nothing has ended for minutes is no reason: nothing waited for it")
}

func TestSlotsOfOtherWorkersCount(t *testing.T) {
	scaler, err := NewScaler(Limits{Min: 0, Max: 8, Slots: 4, Target: 10 * time.Second})
	require.NoError(t, err)
	f := Figures{Waiting: 1000, Slots: 16, Others: 16, Out: 32, Took: seconds(0.1), Backlog: seconds(103)}
	require.Zero(t, scaler.Step(epoch, &f, 0).To, "11 slots are wanted, 16 are there")
	f.Backlog = seconds(180)
	require.Equal(t, 1, scaler.Step(epoch.Add(time.Second), &f, 0).To)
}
