package orchestrator

import (
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/deedrun/deed/events"
	"github.com/deedrun/deed/orchestrator/definition"
	"github.com/deedrun/deed/orchestrator/process"
	"github.com/deedrun/deed/task"
)

func TestAnOwnerThatWasOvertakenDoesNotStopWhatTheOtherOneSent(t *testing.T) {
	r := newRig(t)
	r.send("p", fanOut(), 2)
	r.send("q", fanOut(), 2)
	r.step()
	r.ask("q", process.CancelProcess{})
	r.step()
	for id, c := range map[string]process.Command{
		"p": process.RestartFrom{Address: "work", Asked: asked("1")}, "q": process.RetryTasks{Asked: asked("2")},
	} {
		_, err := Record(r.ctx, r.store, id, r.now, c) // by another owner
		require.NoError(t, err)
	}
	cancels := r.cancels()
	r.beat(task.Heartbeat{Worker: "w1", Holding: []task.Hold{
		{Process: "p", Address: "work", Generation: 1, Attempt: 1, Tasks: task.Span(0, 2)},
		{Process: "q", Address: "work", Attempt: 1, Tasks: task.Span(0, 2)},
	}})
	r.step()
	require.Empty(t, cancels())
}

func TestTasksThatNobodyServesAreSentAgainAlsoIfTheProcessIsLoadedAnewMeanwhile(t *testing.T) {
	r := newRig(t)
	r.send("p", fanOut(), 2)
	r.step()
	r.received()
	r.report("p", task.Result{Address: "work", Attempt: 1, Tasks: task.Of(0), Outcome: task.Unserved})
	r.step()
	_, err := Record(r.ctx, r.store, "p", r.now, process.ReviseProcess{
		Definition: fanOut(func(s *definition.Step) { s.Timeout = task.Duration(time.Hour) }), Asked: asked("1"),
	})
	require.NoError(t, err)
	r.report("p", done(task.Of(1)))
	r.step()
	r.pass(nowhere)
	r.step()
	require.Equal(t, task.Of(0), indexes(r.received()))
}

func TestAResultThatComesTooLateIsCountedOnceAlsoIfItIsDecidedOnTwice(t *testing.T) {
	r, store := flakyRig(t, 0)
	r.send("p", fanOut(), 3)
	r.step()
	r.report("p", done(task.Span(0, 1)))
	r.step()
	store.appends = 2
	r.report("p", done(task.Span(0, 2))) // 0 again
	r.stepFails(events.ErrUnavailable)
	r.step()
	require.Equal(t, 1, r.owner.view(r.ctx, r.now, "p").Queues[0].Late)
}

func TestAProcessThatBecomesUnreadableHoldsUpNobody(t *testing.T) {
	r := newRig(t)
	r.options.Window = 2
	r.restart()
	r.send("p", fanOut(), 4)
	r.step()
	r.received()
	_, err := r.store.Append(r.ctx, "process-p", events.Exactly(r.state("p").Version), "later", events.Record{Type: "of-a-later-version", Schema: 1, Data: []byte("{}")})
	require.NoError(t, err)
	r.report("p", done(task.Span(0, 2)))
	r.step()
	r.pass(lease)
	r.step()
	require.Empty(t, r.received())
}
