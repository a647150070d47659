package orchestrator

import (
	"fmt"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"

	"github.com/deedrun/deed/orchestrator/definition"
	"github.com/deedrun/deed/task"
)

// Whatever the processes, pools, needs, rates, weights and durations are, and
// however often workers hand tasks back: no task is out twice, no lane has more
// out than it may, and in the end all is done.
func TestEveryTaskIsSentInTheEndNeverTwiceAtATimeAndNoLaneHasMoreOutThanItMay(t *testing.T) {
	rapid.Check(t, func(rt *rapid.T) {
		p := newPlant(t, task.Heartbeat{Worker: "plain", Slots: rapid.IntRange(1, 6).Draw(rt, "slots"), Offer: task.Resources{CPU: 4}, AnyPool: true},
			task.Heartbeat{Worker: "p", Slots: rapid.IntRange(1, 6).Draw(rt, "slots in p"), Offer: task.Resources{CPU: 6}, Pool: "p"})
		out := map[string]bool{}
		p.lasts = func(w task.Work) time.Duration {
			name := fmt.Sprintf("%s %s %d", w.Process, w.Tasks, w.Attempt)
			require.False(t, out[name], "%s is out twice", name)
			out[name] = true
			return time.Duration(rapid.SampledFrom([]int{0, 1, 5, 300_000, rapid.IntRange(0, 300_000).Draw(rt, "long")}).Draw(rt, "µs")) * time.Microsecond
		}
		p.returns = func(w task.Work) bool {
			for i := range w.Tasks.All() {
				delete(out, fmt.Sprintf("%s %s %d", w.Process, task.Span(i, 1), w.Attempt))
			}
			return rapid.IntRange(0, 9).Draw(rt, "returned") == 0
		}
		n := rapid.IntRange(1, 6).Draw(rt, "processes")
		for i := range n {
			p.starts(time.Duration(rapid.IntRange(0, 500).Draw(rt, "after"))*time.Millisecond, fmt.Sprint(i), rapid.IntRange(1, 200).Draw(rt, "tasks"),
				weight(rapid.IntRange(0, 3).Draw(rt, "weight")),
				step(func(s *definition.Step) {
					s.Pool = rapid.SampledFrom([]string{"", "p", "nobody"}).Draw(rt, "pool")
					s.Needs.CPU = rapid.SampledFrom([]float64{0, 0, 0.5, 3}).Draw(rt, "cpu")
					s.Rate = rapid.SampledFrom([]definition.Rate{{}, {}, {Count: 20, Per: task.Duration(time.Second)}}).Draw(rt, "rate")
				}))
		}
		for i := range n {
			p.run(fmt.Sprint(i), 10*time.Minute)
		}
		f := p.owner.feeder
		require.Empty(t, f.feeds)
		for name, l := range f.lanes {
			for _, left := range []int{l.out, int(l.time), l.paidOut, int(l.paidTime), l.held, l.needs.tasks, len(l.favoured), len(l.paid)} {
				require.Zero(t, left, "lane %s is empty", name)
			}
		}
	})
}
