package main

import (
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/deedrun/deed"
	"github.com/deedrun/deed/internal/autoscale"
	"github.com/deedrun/deed/orchestrator"
	"github.com/deedrun/deed/task"
)

// A worker with a long task may take hours to leave. Its slots look free all that
// time, and are not.
func TestAWorkerThatLeavesKeepsNoneFromBeingStarted(t *testing.T) {
	w := newPoolWatch(deed.Options{}, "")
	w.host, w.mine = "host", map[int]bool{1: true, 2: true}
	view := orchestrator.View{
		Pools: []orchestrator.PoolView{{Out: 5, Waiting: 4, Took: task.Duration(time.Second), Backlog: task.Duration(9 * time.Second)}},
		Workers: []orchestrator.WorkerView{
			{Worker: "host-1-a", Slots: 4, Holding: 4},
			{Worker: "host-2-b", Slots: 4, Holding: 1, Draining: true},
		},
	}
	seen := w.read(view)
	require.Equal(t, 4, seen.Slots)
	require.Equal(t, map[int]int{1: 4, 2: 1}, seen.Holding, "it is still ours, and works")

	scaler, err := autoscale.NewScaler(autoscale.Limits{Min: 1, Max: 8, Slots: 4, Target: 10 * time.Second, CoolDown: time.Minute})
	require.NoError(t, err)
	now := time.Now()
	require.Equal(t, autoscale.Steady, scaler.Step(now, &seen.Figures, 1).Kind)
	view.Pools[0].Waiting, view.Pools[0].Backlog = 200, task.Duration(205*time.Second)
	seen = w.read(view)
	d := scaler.Step(now.Add(3*time.Second), &seen.Figures, 1)
	require.Equal(t, autoscale.Rose, d.Kind, d)
}
