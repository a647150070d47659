package worker_test

import (
	"encoding/json"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/deedrun/deed/task"
)

func TestHeartbeats(t *testing.T) {
	isolated(t, "a worker says once a second, and when asked, what it holds and runs", func(t *testing.T, w *world) {
		g := newGate()
		w.handle("h", g.handle)
		heard := w.hear()
		r := w.run()
		w.send(job(task.Span(5, 10), func(w *task.Work) { w.Attempt = 2 }))
		assert.Len(t, heard(), 1, "at once")
		require.NoError(t, w.signals.Publish(w.ctx, "rollcall", nil))
		assert.Equal(t, task.Span(5, 10), heard()[0].Holding[0].Tasks)
		time.Sleep(2*time.Second + time.Millisecond)
		beats := heard()
		require.Len(t, beats, 2)
		hold := beats[1].Holding
		require.Len(t, hold, 1)
		assert.Equal(t, []any{"w1", 2}, []any{beats[1].Worker, beats[1].Slots})
		assert.Equal(t, task.Hold{
			Process: "p", Address: "step", Attempt: 2, Tasks: task.Span(5, 2), // the others have gone back
			Running: []task.Running{{Index: 5, Elapsed: task.Duration(2 * time.Second)}, {Index: 6, Elapsed: task.Duration(2 * time.Second)}},
		}, hold[0])
		assert.Equal(t, []string{"h"}, beats[1].Handlers)
		w.handle("words/count@2", nothing)
		require.NoError(t, w.signals.Publish(w.ctx, "rollcall", nil))
		beats = heard()
		require.Len(t, beats, 1)
		assert.Equal(t, []string{"h", "words/count", "words/count@2"}, beats[0].Handlers)
		close(g.opened)
		w.results(10)
		r.Drain()
		<-r.ended
		beats = heard()
		assert.Equal(t, task.Heartbeat{Worker: "w1", Slots: 2, Now: time.Now().UTC(), Leaving: true}, beats[len(beats)-1])
	})

	isolated(t, "messages of one attempt at a step are one entry", func(t *testing.T, w *world) {
		g := newGate()
		w.handle("h", g.handle)
		heard := w.hear()
		w.run()
		w.send(job(task.Of(1)), job(task.Of(7)))
		time.Sleep(time.Second)
		beats := heard()
		require.NotEmpty(t, beats)
		hold := beats[len(beats)-1].Holding
		require.Len(t, hold, 1)
		assert.Equal(t, task.Of(1, 7), hold[0].Tasks)
	})
}

// hear collects the heartbeats of a worker.
func (w *world) hear() func() []task.Heartbeat {
	w.t.Helper()
	l, err := w.signals.Subscribe("heartbeat")
	require.NoError(w.t, err)
	w.t.Cleanup(l.Stop)
	return func() []task.Heartbeat {
		synctest.Wait()
		var beats []task.Heartbeat
		for {
			select {
			case body := <-l.C():
				var b task.Heartbeat
				require.NoError(w.t, json.Unmarshal(body, &b))
				beats = append(beats, b)
			default:
				return beats
			}
		}
	}
}
