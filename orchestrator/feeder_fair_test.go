package orchestrator

import (
	"fmt"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/deedrun/deed/orchestrator/definition"
	"github.com/deedrun/deed/task"
)

// after counts the tasks of a process that began after a time.
func (p *plant) after(t time.Time, id string) (n int) {
	for _, at := range p.begun[id] {
		if !at.Before(t) {
			n++
		}
	}
	return n
}

func weight(n int) func(*definition.Definition) {
	return func(def *definition.Definition) { def.Weight = n }
}

func TestLargeProcessesShareTheSlotsByWeight(t *testing.T) {
	p := newPlant(t, slots(8))
	p.starts(0, "one", 1_000_000)
	p.starts(0, "three", 1_000_000, weight(3))
	p.run("", 15*time.Second)
	one, three := len(p.begun["one"]), len(p.begun["three"])
	require.InDelta(t, 3, float64(three)/float64(one), 0.3)
	require.InDelta(t, 8*15*20, one+three, 40, "and nothing is idle")
}

func TestSmallProcessesThatNeverEndToArriveLeaveALargeOneAQuarter(t *testing.T) {
	p := newPlant(t, slots(8))
	p.starts(0, "large", 1_000_000)
	p.run("", 11*time.Second) // its purse is empty
	since := p.now
	const small, tasks = 1000, 20 // every 50 ms as much as the slots can do in 125
	for i := range small {
		p.starts(time.Duration(i)*50*time.Millisecond, fmt.Sprintf("small-%d", i), tasks)
	}
	p.run("", 20*time.Second)
	require.GreaterOrEqual(t, p.after(since, "large"), 8*20*20/4-8*10, "a quarter of what the slots did, half a second late")
	require.InDelta(t, 0.75*20*20*8/tasks, len(p.ended), 60, "and the small ones got the rest, one after the other")
}

func TestAProcessThatSpentAPartOfItsPurseIsNotStarvedBySmallOnesThatKeepComing(t *testing.T) {
	p := newPlant(t, slots(8))
	p.starts(0, "middle", 10_000)
	p.run("", 400*time.Millisecond) // it is favoured still
	require.True(t, p.owner.feeder.feeds["middle"].accounts["default"].favoured)
	since := p.now
	for i := range 400 { // every 50 ms more than the slots can do
		p.starts(time.Duration(i)*50*time.Millisecond, fmt.Sprintf("small-%d", i), 12)
	}
	p.run("", 20*time.Second)
	require.Greater(t, p.after(since, "middle"), 8*20*20/6)
}

func TestASmallProcessOfLongTasksDoesNotKeepSlotsItDoesNotUse(t *testing.T) {
	p := newPlant(t, slots(8))
	p.lasts = func(w task.Work) time.Duration {
		if w.Process == "uneven" && w.Tasks[0].First == 0 {
			return time.Hour
		}
		return short
	}
	p.starts(0, "large", 1_000_000)
	p.starts(11*time.Second, "uneven", 8)
	p.run("", 12*time.Second)
	since := p.now
	p.run("", 10*time.Second)
	require.InDelta(t, 7*10*20, p.after(since, "large"), 20, "all slots but the one that is used")
}

func TestAPoolDoesNotDisturbAnother(t *testing.T) {
	pool := step(func(s *definition.Step) { s.Pool = "gpu" })
	p := newPlant(t, slots(4), task.Heartbeat{Worker: "g", Slots: 4, Pool: "gpu"})
	p.starts(0, "large", 1_000_000)
	p.starts(3*time.Second, "small", 40, pool)
	p.run("small", time.Minute)
	require.Equal(t, 500*time.Millisecond, p.ended["small"].Sub(p.began.Add(3*time.Second)), "as long as alone")
	require.Equal(t, map[string]int{"default": 8, "gpu": 8}, p.most, "both queues are short")
}

func TestARateIsKeptWithinOneBurstThroughATakeover(t *testing.T) {
	p := newPlant(t, slots(16))
	p.starts(0, "rated", 100_000, step(func(s *definition.Step) {
		s.Rate = definition.Rate{Count: 10, Per: task.Duration(time.Second)}
	}))
	p.run("", 10*time.Second)
	require.InDelta(t, 10*10+10, len(p.begun["rated"]), 1, "one burst, and ten a second")
	p.restart()
	p.run("", 10*time.Second)
	require.GreaterOrEqual(t, len(p.begun["rated"]), 10*19)
	require.LessOrEqual(t, len(p.begun["rated"]), 10*20+2*10+1)
}

func TestASlowRateDoesNotHoldUpOthers(t *testing.T) {
	p := newPlant(t, slots(4))
	p.starts(0, "rated", 100, step(func(s *definition.Step) { s.Rate = definition.Rate{Count: 1, Per: task.Duration(time.Hour)} }))
	p.starts(0, "free", 400)
	p.run("free", time.Minute)
	require.Less(t, p.now.Sub(p.began), 5200*time.Millisecond)
	require.Len(t, p.begun["rated"], 1)
	v := p.owner.view(p.ctx, p.now, "rated")
	require.Equal(t, "it waits for its turn: at most 1/h", v.Queues[0].Unsent[0].Why)
	require.Zero(t, v.Pools[0].Waiting, "no further worker would help")
}

func TestTasksThatTakeNoTimeFillTheQueueWhenTheyTravelAloneAndLongOnesDoNot(t *testing.T) {
	p := newPlant(t, slots(4))
	p.owner.feeder.alone = true
	p.lasts = func(task.Work) time.Duration { return 20 * time.Microsecond }
	p.starts(0, "quick", 20_000)
	p.run("quick", time.Minute)
	require.Equal(t, mostOut, p.most["default"])

	p = newPlant(t, slots(4))
	p.lasts = func(task.Work) time.Duration { return time.Minute }
	p.starts(0, "slow", 20_000)
	p.run("", 5*time.Minute)
	require.Equal(t, 2*4, p.most["default"])
}
