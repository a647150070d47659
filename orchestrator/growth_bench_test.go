package orchestrator

import (
	"fmt"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/deedrun/deed/events"
	"github.com/deedrun/deed/orchestrator/definition"
	"github.com/deedrun/deed/orchestrator/process"
	"github.com/deedrun/deed/task"
)

// These show what a process, a step or a task costs the orchestrator alone, on
// backends in memory: it should stay the same however many there are.

func BenchmarkGrowthOfProcesses(b *testing.B) {
	for _, n := range []int{100, 1_000, 10_000} {
		b.Run(fmt.Sprintf("processes=%d", n), func(b *testing.B) {
			def := fanOut()
			def.Deadline = task.Duration(time.Hour) // each has a timer, too
			grow(b, n, def, task.Inline(make([]task.Part, 3)), n)
		})
	}
}

func BenchmarkGrowthOfSteps(b *testing.B) {
	for _, n := range []int{10, 100, 1_000} {
		b.Run(fmt.Sprintf("steps=%d", n), func(b *testing.B) {
			def := fanOut()
			def.Steps[0].Out, def.Outputs = nil, nil
			for i := range n - 1 {
				next := def.Steps[0]
				next.Address, next.After = fmt.Sprintf("s%d", i), []string{def.Steps[i].Address}
				def.Steps = append(def.Steps, next)
			}
			grow(b, 1, def, task.Inline(make([]task.Part, 1)), n)
		})
	}
}

func BenchmarkGrowthOfTasks(b *testing.B) {
	for _, n := range []int{10_000, 100_000, 1_000_000} {
		b.Run(fmt.Sprintf("tasks=%d", n), func(b *testing.B) {
			def := fanOut()
			def.Steps[0].Out, def.Outputs = nil, nil
			list := task.Dataset{Count: n, Manifest: &task.Manifest{Ref: task.Ref{Key: "in", SHA256: fmt.Sprintf("%064x", 1)}}}
			grow(b, 1, def, list, n)
		})
	}
}

// grow has processes run to their end, at once, and says what each of so many
// parts costs. Who plays the worker reports all that it received together.
func grow(b *testing.B, processes int, def definition.Definition, in task.Dataset, parts int) {
	for range b.N {
		b.StopTimer()
		r := newRig(b)
		feed, err := r.store.Subscribe(b.Context(), streamPrefix, 0)
		require.NoError(b, err)
		for i := range processes {
			id := fmt.Sprintf("p-%d", i)
			r.command(id, process.StartProcess{ID: id, Definition: def, Inputs: map[string]task.Dataset{"in": in}})
		}
		b.StartTimer()
		for ended := 0; ended < processes; {
			r.pass(time.Millisecond)
			r.beat(task.Heartbeat{Worker: "w", Slots: 1000})
			r.step()
			r.reportAll()
			ended += endedIn(b, feed)
		}
		b.StopTimer()
		feed.Stop()
		r.owner.Close()
		b.StartTimer()
	}
	b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(b.N*parts), "ns/part")
}

// reportAll is the worker.
func (r *rig) reportAll() {
	type step struct{ id, address string }
	reports, order := map[step]task.Ranges{}, []step{}
	for _, w := range r.received() {
		at := step{w.Process, w.Address}
		if _, known := reports[at]; !known {
			order = append(order, at)
		}
		reports[at] = reports[at].Union(w.Tasks)
	}
	for _, at := range order {
		r.report(at.id, task.Result{
			Address: at.address, Attempt: 1, Tasks: reports[at], Outcome: task.Done, Elapsed: task.Duration(reports[at].Len()) * task.Duration(time.Microsecond),
		})
	}
}

// endedIn counts the processes that have ended since the last look.
func endedIn(b *testing.B, feed events.Subscription) (n int) {
	for {
		commit, ok, err := feed.Next(b.Context(), false)
		require.NoError(b, err)
		if !ok {
			return n
		}
		if endsProcess(commit.Events[len(commit.Events)-1]) {
			n++
		}
	}
}
