package orchestrator

import (
	"encoding/json"
	"fmt"
	"log/slog"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/deedrun/deed/events"
	memevents "github.com/deedrun/deed/events/mem"
	"github.com/deedrun/deed/orchestrator/definition"
	"github.com/deedrun/deed/orchestrator/process"
	"github.com/deedrun/deed/queue"
	memqueue "github.com/deedrun/deed/queue/mem"
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
		o := memqueue.Options{}
		inbox, work := memqueue.NewSharded(o), memqueue.NewQueue(o)
		signals := memqueue.NewSignals()
		store := events.New(memevents.New())
		feed, err := store.Subscribe(b.Context(), streamPrefix, 0)
		require.NoError(b, err)
		owner, err := NewOwner(Options{
			Events: store, Inbox: inbox, Work: work, Quarantine: memqueue.NewQueue(o), Signals: signals,
			First: true, Log: slog.New(slog.DiscardHandler),
		})
		require.NoError(b, err)
		put := func(id string, e task.Envelope) {
			body, err := json.Marshal(e)
			require.NoError(b, err)
			require.NoError(b, inbox.Send(b.Context(), queue.Message{Key: id, Body: body}))
		}
		for i := range processes {
			id := fmt.Sprintf("p-%d", i)
			command, err := process.EncodeCommand(process.StartProcess{ID: id, Definition: def, Inputs: map[string]task.Dataset{"in": in}})
			require.NoError(b, err)
			put(id, task.Envelope{Command: command})
		}
		now := time.Date(2026, 1, 1, 12, 0, 0, 0, time.UTC)
		b.StartTimer()
		for ended := 0; ended < processes; {
			now = now.Add(time.Millisecond)
			beat, err := json.Marshal(task.Heartbeat{Worker: "w", Slots: 1000, Handlers: []string{"any"}})
			require.NoError(b, err)
			require.NoError(b, signals.Publish(b.Context(), task.TopicHeartbeat, beat))
			_, err = owner.Step(b.Context(), now)
			require.NoError(b, err)
			reportAll(b, work, put)
			ended += endedIn(b, feed)
		}
		b.StopTimer()
		feed.Stop()
		owner.Close()
		b.StartTimer()
	}
	b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(b.N*parts), "ns/part")
}

// reportAll is the worker.
func reportAll(b *testing.B, work *memqueue.Queue, put func(string, task.Envelope)) {
	deliveries, err := work.Receive(b.Context(), 4096, 0)
	require.NoError(b, err)
	require.NoError(b, work.Ack(b.Context(), deliveries...))
	type step struct{ id, address string }
	reports, order := map[step]task.Ranges{}, []step{}
	for _, d := range deliveries {
		var w task.Work
		require.NoError(b, json.Unmarshal(d.Body, &w))
		at := step{w.Process, w.Address}
		if _, known := reports[at]; !known {
			order = append(order, at)
		}
		reports[at] = reports[at].Union(w.Tasks)
	}
	for _, at := range order {
		put(at.id, task.Envelope{Report: &task.Report{Process: at.id, Worker: "w", Results: []task.Result{{
			Address: at.address, Attempt: 1, Tasks: reports[at], Outcome: task.Done, Elapsed: task.Duration(reports[at].Len()) * task.Duration(time.Microsecond),
		}}}})
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
