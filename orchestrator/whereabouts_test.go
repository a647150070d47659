package orchestrator

import (
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/deedrun/deed/orchestrator/process"
	"github.com/deedrun/deed/task"
)

func TestWhereAnOpenTaskIs(t *testing.T) {
	second := task.Duration(time.Second)
	workers := []WorkerView{{Worker: "w1", Slots: 2, Handlers: []string{"words/count@2", "words/top"}, Holding: 3}}
	held := func(index int) []HeldTasks {
		return []HeldTasks{{Worker: "w1", Address: "count", Attempt: 1, Tasks: task.Of(index)}}
	}
	view := View{
		Certain: true, Workers: workers,
		Running: []RunningTask{
			{Process: "p", Address: "count", Index: 0, Attempt: 1, Worker: "w1", Elapsed: 3 * second, Timeout: 300 * second},
			{Process: "p", Address: "count", Index: 1, Attempt: 1, Worker: "w1", Elapsed: 12 * second, Stale: true},
		},
		Queues: []QueueView{{Process: "p", Queued: 9, Pending: 40, Held: held(2), Unsent: []HeldTasks{{Address: "count", Attempt: 1, Tasks: task.Span(10, 40)}}}},
	}
	all := View{Workers: workers, Queues: []QueueView{{Process: "p", Queued: 9}, {Process: "other", Queued: 6}}}
	at := func(index, attempt int) task.Attempt {
		return task.Attempt{Process: "p", Address: "count", Index: index, Attempt: attempt}
	}
	for name, want := range map[string]struct {
		task    task.Attempt
		handler string
		place   Place
		text    string
	}{
		"executed":                          {at(0, 1), "words/count", Executing, "worker w1 is executing it, for 3s of 5m"},
		"executed at an earlier attempt":    {at(1, 2), "words/count", Executing, "worker w1 is still executing attempt 1 at it, for 12s; if that ends well it counts"},
		"held":                              {at(2, 1), "words/count", Held, "worker w1 has it, and has not begun"},
		"queued":                            {at(3, 1), "words/count@2", Queued, "it is on the queue, with at most 13 messages before it"},
		"waiting for others of its process": {at(12, 1), "", Unsent, "it waits to be put on the queue, which is kept short: 9 messages of its process there now, and 40 tasks not yet"},
		"of a handler that is misspelt":     {at(3, 1), "words/tpo", Unserved, `no worker offers the handler "words/tpo"; did you mean "words/top"?`},
		"of a version that nobody has":      {at(3, 1), "images/resize@7", Unserved, `no worker offers the handler "images/resize@7"; offered: words/count@2, words/top`},
	} {
		t.Run(name, func(t *testing.T) {
			got := view.Find(all, want.task, want.handler)
			require.Equal(t, want.place, got.Place)
			require.Equal(t, want.text, got.Text)
			require.True(t, got.Certain)
		})
	}
	view.Queues[0].Queued, view.Queues[0].Unsent, view.Workers = 0, nil, nil
	got := view.Find(View{}, at(3, 1), "")
	require.Equal(t, Nowhere, got.Place)
	require.Equal(t, "nobody has it: it is just changing hands, or its message was lost; then it is sent again; no worker is there", got.Text)
}

func TestAViewOfOneProcessListsWhatWaitsToBeSent(t *testing.T) {
	f := newFeeder(nil, 1, newRunning(time.Second))
	require.Empty(t, f.unsent("p"))
	for i := range maxUnsent + 5 {
		f.add("p", queued{Enqueue: process.Enqueue{Address: "count", Attempt: 1, Tasks: task.Of(i)}})
	}
	got := f.unsent("p")
	require.Len(t, got, maxUnsent)
	require.Equal(t, HeldTasks{Address: "count", Attempt: 1, Tasks: task.Of(0)}, got[0])
}
