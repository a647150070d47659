package worker

import (
	"encoding/json"
	"fmt"
	"log/slog"
	"slices"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"

	"github.com/deedrun/deed/queue"
	"github.com/deedrun/deed/task"
)

// TestWhatIsExecutedNeverNeedsMoreThanIsOffered plays a worker's goroutines:
// messages come, slots begin what there is, tasks end, in any order.
func TestWhatIsExecutedNeverNeedsMoreThanIsOffered(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		now := time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC)
		resources := func(label string, least int) task.Resources {
			return task.Resources{
				CPU:    float64(rapid.IntRange(least*1000, 8000).Draw(t, label+" cpu")) / 1000,
				Memory: int64(rapid.IntRange(least, 64).Draw(t, label+" memory")) << 30,
				GPU:    rapid.IntRange(0, 2).Draw(t, label+" gpu"),
			}
		}
		slots := rapid.IntRange(1, 6).Draw(t, "slots")
		w := admitting(t, slots, resources("offer", 1), func() time.Time { return now })
		sent, ended := 0, 0
		settled := func() int { // tasks that were handed back, or refused
			n := 0
			for _, b := range w.results.bundles {
				for _, r := range b.results {
					n += r.Tasks.Len()
				}
			}
			return n
		}
		begin := func() {
			for len(w.executing) < slots && w.next(t.Context()) != nil {
			}
		}
		check := func() {
			require.True(t, w.used(w.starts).Fit(w.opt.Offer), "%s of %s", w.used(w.starts), w.opt.Offer)
			require.LessOrEqual(t, len(w.executing), slots)
			left := 0
			for _, h := range w.waiting {
				left += h.todo.len()
			}
			require.Equal(t, w.unstarted, left)
			require.Equal(t, sent, left+len(w.executing)+ended+settled())
			if len(w.executing) < slots { // a free slot has looked at all that waits
				require.LessOrEqual(t, len(w.waiting), 1, "one message waits for room")
			}
			if len(w.waiting) > 0 {
				require.NotEmpty(t, w.executing, "what waits, waits for something that ends")
			}
		}
		t.Repeat(map[string]func(*rapid.T){
			"": func(*rapid.T) { check() },
			"a message comes": func(t *rapid.T) {
				tasks := task.Span(sent, rapid.IntRange(1, 3).Draw(t, "tasks"))
				var r task.Resources
				if rapid.Bool().Draw(t, "needs") {
					r = resources("needs", 0)
				}
				w.accept(t.Context(), []queue.Delivery{delivery(t, tasks, r)})
				sent += tasks.Len()
				begin()
			},
			"a task ends": func(t *rapid.T) {
				if len(w.executing) == 0 {
					t.Skip("none runs")
				}
				i := rapid.IntRange(0, len(w.executing)-1).Draw(t, "which")
				w.executing = slices.Delete(w.executing, i, i+1)
				ended++
				begin()
			},
			"time passes": func(t *rapid.T) {
				now = now.Add(time.Duration(rapid.IntRange(0, 15).Draw(t, "seconds")) * time.Second)
				w.handBackIdle()
				begin()
			},
		})
		for len(w.executing) > 0 {
			w.executing = w.executing[1:]
			ended++
			begin()
			check()
		}
		require.Empty(t, w.waiting)
		require.Equal(t, sent, ended+settled(), "nothing is lost")
	})
}

// admitting is a worker whose slots a test plays.
func admitting(t *rapid.T, slots int, offer task.Resources, now func() time.Time) *Worker {
	w := &Worker{
		opt:     Options{Slots: slots, Offer: offer, Registry: NewRegistry(), Now: now, Log: slog.New(slog.DiscardHandler), AnyPool: true},
		held:    map[*holding]struct{}{},
		results: newGathering(), gathered: make(chan struct{}, 1),
		programs: programs{all: true},
	}
	w.startable.L, w.roomy.L = &w.mu, &w.mu
	return w
}

func delivery(t require.TestingT, tasks task.Ranges, needs task.Resources) queue.Delivery {
	body, err := json.Marshal(task.Work{
		Process: "p", Address: fmt.Sprintf("step-%d", tasks[0].First), Attempt: 1, Tasks: tasks, Needs: needs, Run: task.Run{Shell: "true"},
	})
	require.NoError(t, err)
	return queue.Delivery{Message: queue.Message{Key: "p", Body: body}, Count: 1}
}
