package autoscale

import (
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

// The arithmetic of deploy/kubernetes: what KEDA and the HorizontalPodAutoscaler
// make of the length of the queue of a pool, which the feeder keeps short.

const (
	podSlots  = 4
	threshold = podSlots // lagThreshold: messages a pod
	mostPods  = 16
)

// lag is how many messages the queue has: at least two a slot, as many as the slots
// execute in a tenth of a second, and a few where there is none. A message brings a
// task, or 20 ms of short ones, and no more than a share of what is left.
func lag(tasks, pods int, took time.Duration) int {
	slots := podSlots * pods
	if slots == 0 {
		return min(tasks, 16)
	}
	each := max(1, min(int(20*time.Millisecond/took), tasks/(2*slots)))
	most := max(2*slots, min(slots*int(100*time.Millisecond/(took*time.Duration(each))), 4096))
	return min((tasks+each-1)/each, most)
}

// pods is what they want next: one if there is any work, then as many as the
// threshold says, but for a tenth more or less, and at most twice as many at a
// time, or four more.
func pods(lag, now int) int {
	if now == 0 {
		return min(lag, 1)
	}
	if ratio := float64(lag) / float64(threshold*now); ratio > 0.9 && ratio < 1.1 {
		return now
	}
	wanted := (lag + threshold - 1) / threshold
	return min(max(wanted, 1), max(2*now, now+4), mostPods)
}

func TestWithAThresholdOfItsSlotsThePodsDoubleWhileMoreWaitsThanTheQueueShows(t *testing.T) {
	var steps []int
	for n, tasks := 0, 100_000; len(steps) < 7; tasks -= 15 * podSlots * n { // a step is 15 s, tasks last one
		n = pods(lag(tasks, n, time.Second), n)
		steps = append(steps, n)
	}
	require.Equal(t, []int{1, 2, 4, 8, 16, 16, 16}, steps)
}

func TestWithAThresholdOfItsSlotsALoadSettlesAtThePodsThatItKeepsBusy(t *testing.T) {
	for busy := 1; busy <= podSlots*mostPods; busy++ { // by Little's law so many are executed at any time
		for _, n := range []int{1, mostPods} {
			for range 10 {
				n = pods(lag(busy, n, time.Second), n)
			}
			least := (busy + podSlots - 1) / podSlots
			require.GreaterOrEqual(t, n*podSlots*11, busy*10, "%d busy slots: within the tenth that is tolerated", busy)
			require.LessOrEqual(t, n, least+2, "%d busy slots", busy)
		}
	}
}

func TestWithShortTasksTheQueueAsksForMorePodsThanTheirWorkDoes(t *testing.T) {
	const tasks, took = 2000, time.Millisecond // two seconds of work for a slot
	n := 1
	for range 5 {
		n = pods(lag(tasks, n, took), n)
	}
	require.Equal(t, mostPods, n)

	scaler, err := NewScaler(Limits{Max: mostPods, Slots: podSlots, Target: 10 * time.Second})
	require.NoError(t, err)
	f := Figures{Waiting: 1600, Out: 400, Slots: podSlots, Took: seconds(0.001), Backlog: seconds(2)}
	require.Equal(t, 1, scaler.Step(epoch, &f, 1).To, "by time one is enough")
}
