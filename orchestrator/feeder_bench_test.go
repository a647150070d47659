package orchestrator

import (
	"context"
	"fmt"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/deedrun/deed/orchestrator/process"
	"github.com/deedrun/deed/queue"
	"github.com/deedrun/deed/task"
)

// nowherePut is a queue that keeps nothing, so that a benchmark measures the
// feeder alone.
type nowherePut struct {
	queue.Queue
	sent []queue.Message
}

func (n *nowherePut) Send(_ context.Context, messages ...queue.Message) error {
	n.sent = messages
	return nil
}

// BenchmarkFeeder sends and takes back tasks of many processes, by what a task
// costs the feeder: the making of its message included.
func BenchmarkFeeder(b *testing.B) {
	for _, processes := range []int{1, 100, 10_000} {
		b.Run(fmt.Sprintf("a million tasks in %d processes", processes), func(b *testing.B) {
			work := &nowherePut{}
			running := newRunning(lease)
			now := time.Date(2026, 1, 1, 12, 0, 0, 0, time.UTC)
			running.beat(now, task.Heartbeat{Worker: "w", Slots: 64, Handlers: []string{"any"}})
			f := newFeeder(work, mostOut, running)
			states := map[string]*process.State{}
			each := 1_000_000 / processes
			for i := range processes {
				id := fmt.Sprint(i)
				command := process.StartProcess{ID: id, Definition: fanOut(), Inputs: map[string]task.Dataset{
					"in": {Count: each, Manifest: &task.Manifest{Ref: task.Ref{Key: "list"}}},
				}, At: now}
				happened, err := process.Decide(process.State{}, command)
				require.NoError(b, err)
				s := process.Fold(process.State{}, happened...)
				states[id] = &s
			}
			state := func(id string) (*process.State, error) { return states[id], nil }
			n := 0
			for b.Loop() {
				if n%1_000_000 == 0 { // all over again
					for id := range states {
						f.end(id)
						f.add(id, queued{Enqueue: process.Enqueue{Address: "work", Attempt: 1, Tasks: task.Span(0, each)}})
					}
				}
				now = now.Add(time.Millisecond)
				_, err := f.send(b.Context(), now, state)
				require.NoError(b, err)
				require.NotEmpty(b, work.sent)
				for _, m := range work.sent {
					for i := range f.feeds[m.Key].rows["work"].out.all().All() {
						f.measure(m.Key, task.Result{Address: "work", Tasks: task.Span(i, 1), Outcome: task.Done, Elapsed: task.Duration(time.Millisecond)})
						f.observe(m.Key, []process.Event{process.TasksConfirmed{Address: "work", Attempt: 1, Tasks: task.Span(i, 1)}})
						n++
						break
					}
				}
			}
			b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(n), "ns/task")
		})
	}
}
