package orchestrator

import (
	"encoding/json"
	"fmt"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/deedrun/deed/orchestrator/process"
	"github.com/deedrun/deed/task"
)

func TestAViewOfManyProcessesIsBounded(t *testing.T) {
	r := newRig(t)
	for i := range maxQueues + 10 {
		r.send(fmt.Sprintf("p%05d", i), fanOut(), 1)
	}
	for range (maxQueues+10)/inboxBatch + 1 {
		r.step()
	}
	v := r.owner.view(r.ctx, r.now, "")
	require.Len(t, v.Queues, maxQueues)
	require.Equal(t, 10, v.More)
	body, err := json.Marshal(v)
	require.NoError(t, err)
	require.Less(t, len(body), 1<<20)
}

func TestAViewOfScatteredTasksIsBounded(t *testing.T) {
	r := newRig(t)
	r.options.Window = 1
	r.restart()
	r.send("p", fanOut(), 10_000)
	r.step()
	var scattered []int
	for i := 1; i < 10_000; i += 2 {
		scattered = append(scattered, i)
	}
	r.owner.feeder.forget("p")
	for range 3 {
		r.owner.feeder.add("p", queued{Enqueue: process.Enqueue{Address: "work", Attempt: 1, Tasks: task.Of(scattered...)}})
	}
	q := r.owner.view(r.ctx, r.now, "p").Queues[0]
	require.Equal(t, 3*len(scattered), q.Pending)
	ranges := 0
	for _, h := range q.Unsent {
		ranges += len(h.Tasks)
	}
	require.Equal(t, maxUnsent, ranges)
}
