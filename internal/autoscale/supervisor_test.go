package autoscale

import (
	"errors"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"
)

func four() Limits {
	return Limits{Min: 4, Max: 4, Slots: 2, Target: 10 * time.Second, CoolDown: time.Minute}
}

func TestAWorkerThatDiesWhereFourAreDeclaredIsReplacedAtOnce(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c := running(t, four())
		require.Len(t, c.alive(), 4)
		c.after(time.Minute)
		c.process(102).die(errors.New("signal: killed"))
		synctest.Wait()
		require.Equal(t, []int{100, 101, 103, 104}, c.alive(), "four again, and no time has passed")
		require.Equal(t, "worker 102 died (signal: killed), another takes its place: 4", c.lastTold().String())
	})
}

func TestAWorkerThatDiesYoungIsReplacedAtOnceButNotTheNext(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c := running(t, four())
		c.after(time.Second)
		c.process(101).die(errors.New("signal: killed"))
		c.process(102).die(errors.New("signal: killed"))
		synctest.Wait()
		require.Equal(t, []int{100, 103, 104, 105}, c.alive())
		require.Equal(t, Replaced, c.lastTold().Kind)
		c.after(time.Second)
		c.process(104).die(errors.New("signal: killed"))
		synctest.Wait()
		require.Equal(t, []int{100, 103, 105}, c.alive())
		c.after(time.Second / 2)
		require.Len(t, c.alive(), 4)
	})
}

func TestAWorkerThatAPersonDrainedIsReplacedToo(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c := running(t, four())
		c.after(time.Minute)
		c.process(101).die(nil)
		synctest.Wait()
		require.Equal(t, 5, c.started())
		require.Equal(t, "worker 101 left by itself, another takes its place: 4", c.lastTold().String())
	})
}

func TestWorkersThatDieAtTheirStartAreTriedLessAndLessOften(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c := running(t, four())
		c.after(time.Minute)
		c.mu.Lock()
		c.dying = true
		c.mu.Unlock()
		c.process(100).die(errors.New("signal: killed"))
		c.after(time.Hour)
		require.Less(t, c.started(), 80, "one a minute in the end")
		require.Greater(t, c.started(), 50)
		require.Equal(t, Failing, c.lastTold().Kind)
		require.Contains(t, c.lastTold().Why, "died (exit status 2) 0s after its start; the next is tried in 1m0s")

		c.mu.Lock()
		c.dying = false
		c.mu.Unlock()
		c.after(2 * time.Minute)
		sound := c.started()
		c.process(101).die(errors.New("signal: killed"))
		synctest.Wait()
		require.Equal(t, sound+1, c.started(), "since one outlived its start, it is as at first")
	})
}

func TestWorkersThatCannotBeStartedAreTriedAgain(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c := running(t, four())
		c.after(time.Minute)
		c.mu.Lock()
		c.startErr = errors.New("start a worker: no memory")
		c.mu.Unlock()
		c.process(100).die(errors.New("signal: killed"))
		synctest.Wait()
		require.Equal(t, "start a worker: no memory; the next is tried in 500ms: 4", c.lastTold().String(), "it was tried twice")
		c.mu.Lock()
		c.startErr = nil
		c.mu.Unlock()
		c.after(time.Second / 2)
		require.Equal(t, 5, c.started())
	})
}

func TestTheLeastBusyWorkersAreDrainedOnceAndGivenTime(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c := running(t, Limits{Min: 1, Max: 3, Slots: 2, Target: 10 * time.Second, CoolDown: time.Minute})
		c.see(Look{Figures: Figures{Waiting: 100}, Holding: map[int]int{100: 2}}, nil)
		c.after(10 * time.Second)
		require.Equal(t, []int{100, 101, 102}, c.alive())
		c.see(Look{Figures: Figures{Slots: 6, Out: 1, Took: seconds(1), Backlog: seconds(1)}, Holding: map[int]int{100: 0, 101: 1, 102: 0}}, nil)
		c.after(time.Minute)
		require.Equal(t, []int{100, 101, 102}, c.alive())
		c.after(4 * time.Second)
		require.Equal(t, []int{101}, c.alive())
		require.Equal(t, 1, c.drained(100))
		require.Equal(t, 1, c.drained(102))
		c.after(time.Hour)
		require.Equal(t, 3, c.started(), "who was drained is not replaced")
		require.False(t, c.killed(100))
		require.Equal(t, []Kind{Began, Rose, Fell}, c.kinds(), "what changes is told, not each look")
		require.Equal(t, "no more than 1 wanted for 1m0s, now a backlog of 1s of work, 167ms a slot, target 10s: 3 -> 1", c.lastTold().String())
	})
}

func TestAWorkerThatDoesNotLeaveInTimeIsKilled(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c := running(t, four())
		c.leaves = 24 * time.Hour
		c.cancel()
		c.after(29 * time.Second)
		require.False(t, c.killed(100))
		c.after(2 * time.Second)
		for id := range 4 {
			require.True(t, c.killed(100+id))
		}
		require.True(t, c.ended())
		require.Equal(t, []Kind{Began, Killed, Killed, Killed, Killed, Left}, c.kinds())
	})
}

func TestAtItsEndAllWorkersLeaveAndNoneIsReplaced(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c := running(t, four())
		c.after(time.Minute)
		c.cancel()
		synctest.Wait()
		require.Empty(t, c.alive())
		require.False(t, c.ended(), "they have not left yet")
		c.process(100).die(errors.New("signal: killed"))
		c.after(time.Second)
		require.True(t, c.ended())
		require.Equal(t, 4, c.started())
		require.Equal(t, "this was ended, and all workers have left: 4 -> 0", c.lastTold().String())
	})
}

func TestWithoutFiguresItKeepsWhatItHasAndReplacesWhatDies(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c := running(t, Limits{Min: 0, Max: 3, Slots: 2, Target: 10 * time.Second, CoolDown: time.Minute})
		c.see(Look{Figures: Figures{Waiting: 4}}, nil)
		c.after(10 * time.Second)
		c.see(Look{Figures: Figures{Waiting: 4}, Holding: map[int]int{100: 2}}, nil)
		c.after(10 * time.Second)
		require.Len(t, c.alive(), 2)
		c.see(Look{}, errors.New("no answer"))
		c.after(time.Hour)
		require.Len(t, c.alive(), 2)
		c.process(100).die(errors.New("signal: killed"))
		synctest.Wait()
		require.Equal(t, 3, c.started())
		c.see(Look{Figures: Figures{Waiting: 4}}, nil)
		c.after(10 * time.Second)
		require.Equal(t, []Kind{Began, Rose, Rose, Blind, Replaced, Steady}, c.kinds())
	})
}

func TestALookThatDoesNotReturnDelaysNoReplacement(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c := running(t, four())
		c.mu.Lock()
		c.stalled = true
		c.mu.Unlock()
		c.after(time.Minute)
		c.process(103).die(errors.New("signal: killed"))
		synctest.Wait()
		require.Equal(t, []int{100, 101, 102, 104}, c.alive())
	})
}
