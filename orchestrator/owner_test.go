package orchestrator

import (
	"encoding/json"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/deedrun/deed/orchestrator/definition"
	"github.com/deedrun/deed/orchestrator/process"
	"github.com/deedrun/deed/queue"
	"github.com/deedrun/deed/task"
)

func TestAStartIsAnsweredAfterItsEventIsStoredAndItsTasksAreSent(t *testing.T) {
	r := newRig(t)
	answer := r.send("p", fanOut(), 3)
	r.step()
	a := r.answer(answer)
	require.Equal(t, Answer{Version: 3}, a)
	require.Equal(t, process.Running, r.state("p").Status)
	require.Equal(t, task.Span(0, 3), indexes(r.received()))
}

func TestADifferentJobUnderTheSameIDIsRefusedAndTheSameOneAttaches(t *testing.T) {
	r := newRig(t)
	<-func() <-chan []byte { a := r.send("p", fanOut(), 3); r.step(); return a.C() }()
	other := r.send("p", fanOut(), 4)
	r.step()
	a := r.answer(other)
	require.True(t, a.Refused)
	require.Equal(t, []string{"input in: other content (4 parts now, 3 parts then)"}, a.Differs)
	same := r.send("p", fanOut(), 3)
	r.step()
	a = r.answer(same)
	require.Empty(t, a.Error)
	require.Equal(t, uint64(3), r.state("p").Version)
}

func TestAProcessOfManyTasksKeepsTheQueueShort(t *testing.T) {
	r := newRig(t)
	r.options.Window = 10
	r.restart()
	r.send("p", fanOut(), 100)
	r.step()
	r.step()
	first := indexes(r.received())
	require.Equal(t, task.Span(0, 10), first)
	r.report("p", done(task.Of(3, 4)))
	r.step()
	require.Equal(t, task.Span(10, 2), indexes(r.received()))
}

func TestProcessesTakeTurns(t *testing.T) {
	r := newRig(t)
	r.beat(task.Heartbeat{Worker: "w1", Slots: 20})
	r.step()
	r.send("large", fanOut(), 10_000)
	r.send("small", fanOut(), 3)
	r.step()
	sent := map[string]int{}
	for _, w := range r.received() {
		sent[w.Process]++
	}
	require.Equal(t, map[string]int{"large": 2*20 - 3, "small": 3}, sent)
}

func TestAnOwnerThatDiedAfterTheAppendAndBeforeTheSendIsResumedByTheNext(t *testing.T) {
	r := newRig(t)
	type crash struct{}
	r.options.Failpoint = func(name string) {
		if name == "orchestrator.after-append" {
			panic(crash{})
		}
	}
	r.restart()
	r.send("p", fanOut(), 3)
	require.PanicsWithValue(t, crash{}, func() { _, _ = r.owner.Step(r.ctx, r.now) })
	require.Empty(t, r.received())

	r.options.Failpoint = nil
	r.restart()
	r.step()
	r.pass(rollCall)
	r.step()
	require.Equal(t, task.Span(0, 3), indexes(r.received()))
}

func TestATakeoverDoesNotSendWhatAWorkerSaysItHolds(t *testing.T) {
	r := begun(t, fanOut(), 5)
	r.received()
	r.restart()
	r.step()
	require.Empty(t, r.received(), "it listens first")
	r.beat(held("w1", "p", task.Of(1, 2)))
	r.pass(rollCall)
	r.step()
	require.Equal(t, task.Of(0, 3, 4), indexes(r.received()))
}

func TestOfTwoOwnersOneWinsAndNothingIsScheduledOrConfirmedTwice(t *testing.T) {
	r := begun(t, fanOut(), 4)
	r.received()
	second := r.newOwner()
	defer second.Close()
	_, err := second.Step(r.ctx, r.now)
	require.NoError(t, err)

	r.report("p", done(task.Of(0)))
	r.step() // the first owner is ahead now, and the second does not know
	r.report("p", done(task.Of(0, 1)))
	_, err = second.Step(r.ctx, r.now)
	require.NoError(t, err)
	r.report("p", done(task.Of(1, 2, 3)))
	r.step()

	s := r.state("p")
	require.NoError(t, s.Damage())
	require.Equal(t, process.Completed, s.Status)
	confirmed := 0
	for _, e := range happened(t, r.store, "p") {
		if e, ok := e.(process.TasksConfirmed); ok {
			confirmed += e.Tasks.Len()
		}
	}
	require.Equal(t, 4, confirmed)
}

func TestAMessageThatMakesNoSenseGoesToQuarantineAndHoldsUpNobody(t *testing.T) {
	r := newRig(t)
	require.NoError(t, r.inbox.Send(r.ctx, queue.Message{Key: "p", Body: []byte("\x00junk")}))
	r.report("nobody", done(task.Of(0)))
	r.send("p", fanOut(), 1)
	r.report("p", done(task.Of(7)))
	r.step()
	require.Equal(t, process.Running, r.state("p").Status)
	var reasons []string
	for _, q := range r.quarantined() {
		require.NotEmpty(t, q.Body)
		reasons = append(reasons, q.Reason)
	}
	require.Len(t, reasons, 3)
	require.Contains(t, reasons[0], "it is no message of deed")
	require.Contains(t, reasons[1]+reasons[2], "no such process")
	require.Contains(t, reasons[1]+reasons[2], `"work" has no scheduled tasks 7`)
	pending, err := r.inbox.Pending(r.ctx, "p")
	require.NoError(t, err)
	require.Zero(t, pending)
}

func TestTasksThatAWorkerHandsBackAreSentAgainWithoutAnEvent(t *testing.T) {
	r := begun(t, fanOut(), 3)
	r.received()
	version := r.state("p").Version
	r.report("p", task.Result{Address: "work", Attempt: 1, Tasks: task.Of(1, 2), Outcome: task.Returned})
	r.step()
	again := r.received()
	require.Equal(t, task.Of(1, 2), indexes(again))
	require.Equal(t, 1, again[0].Attempt)
	require.Equal(t, version, r.state("p").Version)
}

func TestTasksThatWereHandedBackWhileTheOwnerWasAwayAreSentOnce(t *testing.T) {
	r := begun(t, fanOut(), 3)
	r.received()
	r.report("p", task.Result{Address: "work", Attempt: 1, Tasks: task.Span(0, 3), Outcome: task.Returned})
	r.restart()
	r.step()
	r.pass(rollCall)
	r.step()
	r.step()
	require.Len(t, r.received(), 3)
}

func TestTasksThatNobodyHoldsWhileTheQueueIsEmptyAreSentAgainAtTheSameAttempt(t *testing.T) {
	r := begun(t, fanOut(), 3)
	r.received() // and lost, with the queue's tail
	for range 13 {
		r.pass(time.Second)
		r.beat(held("w1", "p", task.Of(1)))
		r.step()
	}
	again := r.received()
	require.Equal(t, task.Of(0, 2), indexes(again))
	require.Equal(t, 1, again[0].Attempt)
}

func TestAPlannedRetrySurvivesARestartAndFiresWhenItsTimeHasCome(t *testing.T) {
	r := begun(t, fanOut(), 2)
	r.received()
	r.report("p",
		failed(task.Of(1), "x", task.Retry),
		done(task.Of(0)))
	r.step()
	r.restart()
	r.step()
	r.pass(59 * time.Second)
	r.step()
	require.Empty(t, r.received())
	r.pass(time.Second)
	r.step()
	again := r.received()
	require.Len(t, again, 1)
	require.Equal(t, 2, again[0].Attempt)
	require.Equal(t, task.Of(1), again[0].Tasks)
}

func TestAProcessThatFailsIsTakenOffTheQueueAndWorkersAreToldToStop(t *testing.T) {
	r := newRig(t)
	cancels, err := r.signals.Subscribe(task.TopicCancel)
	require.NoError(t, err)
	defer cancels.Stop()
	r.send("p", fanOut(), 5)
	r.step()
	r.report("p", failed(task.Of(1), "no", task.Permanent))
	r.step()
	require.Equal(t, process.Failed, r.state("p").Status)
	require.JSONEq(t, `{"process":"p"}`, string(<-cancels.C()))
	require.Empty(t, r.received())

	r.beat(held("w1", "p", task.Of(0)))
	r.step()
	require.JSONEq(t, `{"process":"p"}`, string(<-cancels.C()), "whoever still holds some is told again")
}

func TestAnAttemptThatRunsTooLongIsAskedAboutAndGivenUp(t *testing.T) {
	r := begun(t, fanOut(func(s *definition.Step) { s.Timeout = task.Duration(time.Minute) }), 2)
	r.received()
	hold := task.Hold{Process: "p", Address: "work", Attempt: 1, Tasks: task.Of(0, 1), Running: []task.Running{
		{Index: 0, Elapsed: task.Duration(30 * time.Second)}, {Index: 1, Elapsed: task.Duration(66 * time.Second)},
	}}
	r.beat(task.Heartbeat{Worker: "w1", Holding: []task.Hold{hold}})
	r.pass(time.Second)
	r.step()
	again := r.received()
	require.Len(t, again, 1)
	require.Equal(t, task.Of(1), again[0].Tasks)
	require.Equal(t, 2, again[0].Attempt)
}

func TestAnAttemptThatWasGivenUpAndGoesOnIsNotAskedAboutAgain(t *testing.T) {
	r := begun(t, fanOut(func(s *definition.Step) { s.Timeout = task.Duration(time.Minute) }), 1)
	b := held("w1", "p", task.Of(0))
	b.Holding[0].Running = []task.Running{{Elapsed: task.Duration(66 * time.Second)}}
	r.beat(b)
	r.pass(time.Second)
	r.step()
	require.Equal(t, 1, r.state("p").Steps()[0].Failures)
	r.beat(b) // it cannot be ended
	r.pass(time.Second)
	r.step()
	require.Empty(t, r.owner.overdue(r.now))
	require.Len(t, r.owner.view(r.ctx, r.now, "p").Running, 1, "whoever asks sees it")
}

func TestTheListAgreesWithTheStates(t *testing.T) {
	r := newRig(t)
	l, err := newList(r.ctx, r.store)
	require.NoError(t, err)
	defer l.stop()
	r.send("a", fanOut(), 2)
	r.pass(time.Second)
	r.send("b", fanOut(), 3)
	r.step()
	r.report("a", done(task.Span(0, 2)))
	r.report("b", done(task.Of(2)))
	r.step()
	_, err = l.catchUp(r.ctx)
	require.NoError(t, err)
	all := l.all()
	require.Len(t, all, 2)
	require.Equal(t, Summary{
		ID: "a", Name: "fan-out", Status: process.Completed, Steps: 1, StepsDone: 1, Tasks: 2, TasksDone: 2,
		StartedAt: all[0].StartedAt, EndedAt: all[0].EndedAt,
	}, all[0])
	require.Equal(t, process.Running, all[1].Status)
	require.Equal(t, 1, all[1].TasksDone)
	direct, err := summarise(r.ctx, r.store)
	require.NoError(t, err)
	require.Equal(t, all, direct)
}

func TestACommandThatThisVersionCannotReadIsAnsweredAndNotKept(t *testing.T) {
	r := newRig(t)
	replies, err := r.signals.Subscribe("reply.x")
	require.NoError(t, err)
	defer replies.Stop()
	r.put("p", task.Envelope{Command: json.RawMessage(`{"type":"levitate","data":{}}`), ReplyTo: "reply.x"})
	r.step()
	a := r.answer(replies)
	require.True(t, a.Refused)
	require.Contains(t, a.Error, `does not know "levitate"`)
	require.Empty(t, r.quarantined())
}
