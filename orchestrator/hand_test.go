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

// ask sends a person's command; its answer comes on the listener.
func (r *rig) ask(id string, c process.Command) queue.Listener {
	r.t.Helper()
	return r.demand(id, c, "reply.hand")
}

func (r *rig) answer(replies queue.Listener) Answer {
	r.t.Helper()
	var a Answer
	select {
	case body := <-replies.C():
		require.NoError(r.t, json.Unmarshal(body, &a))
	default:
		r.t.Fatal("there is no answer")
	}
	return a
}

// cancels lists the cancels that workers were told.
func (r *rig) cancels() func() []task.Cancel {
	told, err := r.signals.Subscribe(task.TopicCancel)
	require.NoError(r.t, err)
	r.t.Cleanup(told.Stop)
	return func() []task.Cancel {
		var all []task.Cancel
		for {
			select {
			case body := <-told.C():
				var c task.Cancel
				require.NoError(r.t, json.Unmarshal(body, &c))
				all = append(all, c)
			default:
				return all
			}
		}
	}
}

// pending is how many messages of a process are on the work queue.
func (r *rig) pending(id string) int {
	r.t.Helper()
	n, err := r.work.Pending(r.ctx, id)
	require.NoError(r.t, err)
	return n
}

func TestAPauseTakesWhatWaitsOffTheQueueAndItsEndSendsWhatNobodyHolds(t *testing.T) {
	r := begun(t, fanOut(), 5)
	require.Equal(t, 5, r.pending("p"))

	require.Empty(t, r.answer(func() queue.Listener { l := r.ask("p", process.PauseProcess{}); r.step(); return l }()).Error)
	require.Zero(t, r.pending("p"))
	r.report("p", done(task.Span(0, 1))) // what was being executed counts
	r.step()
	require.Equal(t, 1, r.state("p").Steps()[0].Confirmed)
	r.pass(time.Minute)
	r.step()
	require.Zero(t, r.pending("p"))

	r.beat(held("w1", "p", task.Span(1, 1)))
	r.ask("p", process.ResumeProcess{})
	r.step()
	r.pass(rollCall)
	r.step()
	require.Equal(t, "2–4", indexes(r.received()).String(), "0 is done, and a worker holds 1")
}

func TestACancelEmptiesTheQueueAndStopsWhatRuns(t *testing.T) {
	r := newRig(t)
	cancels := r.cancels()
	r.send("p", fanOut(), 5)
	r.step()
	r.ask("p", process.CancelProcess{Asked: process.Asked{By: "ada", Reason: "typo"}})
	r.step()
	require.Zero(t, r.pending("p"))
	require.Equal(t, []task.Cancel{{Process: "p"}}, cancels())
	require.Equal(t, process.Cancelled, r.state("p").Status)

	r.beat(held("w1", "p", task.Span(0, 1)))
	r.step()
	require.Equal(t, []task.Cancel{{Process: "p"}}, cancels(), "a worker that missed it is told again")
	r.report("p", done(task.Span(0, 5)))
	r.step()
	require.Zero(t, r.state("p").Steps()[0].Confirmed)

	r.restart()
	r.step()
	require.Zero(t, r.pending("p"), "nothing of it comes back with another owner")
}

func TestMessagesThatADeadOwnerLeftOfACancelledProcessAreRemovedWhenAWorkerShowsThem(t *testing.T) {
	r := begun(t, fanOut(), 5)
	left := r.received()
	r.ask("p", process.CancelProcess{})
	r.step()
	body, err := json.Marshal(left[0])
	require.NoError(t, err)
	require.NoError(t, r.work.Send(r.ctx, queue.Message{Key: "p", Body: body}), "as if the owner had died before the purge")
	cancels := r.cancels()
	r.restart()
	r.step()
	require.Equal(t, 1, r.pending("p"))
	r.beat(held("w1", "p", task.Span(0, 1)))
	r.step()
	require.Zero(t, r.pending("p"))
	require.Contains(t, cancels(), task.Cancel{Process: "p"})
}

func TestARestartStopsWhatIsOutOfDateAndSendsTheNextGeneration(t *testing.T) {
	r := newRig(t)
	cancels := r.cancels()
	r.send("p", fanOut(), 3)
	r.step()
	r.report("p", done(task.Span(0, 1)))
	r.step()
	r.ask("p", process.RestartFrom{Address: "work"})
	r.step()
	require.Equal(t, []task.Cancel{{Process: "p", Before: map[string]int{"work": 1, "deed/seal/out": 1}}}, cancels())
	r.pass(rollCall)
	r.step()
	work := r.received()
	require.Equal(t, "0–2", indexes(work).String())
	for _, w := range work {
		require.Equal(t, 1, w.Generation)
	}
	r.beat(held("zombie", "p", task.Span(1, 1)))
	r.step()
	require.Equal(t, []task.Cancel{{Process: "p", Before: map[string]int{"work": 1}}}, cancels())
	r.report("p", done(task.Span(0, 3)))
	r.step()
	require.Zero(t, r.state("p").Steps()[0].Confirmed, "results of the older generation do not count")
}

func TestTasksThatAWorkerDoesNotServeGoToAnotherAndCostNoAttempt(t *testing.T) {
	r := begun(t, fanOut(), 1)
	r.received()
	unserved := task.Result{Address: "work", Attempt: 1, Tasks: task.Span(0, 1), Outcome: task.Unserved}
	r.report("p", unserved)
	r.step()
	r.pass(elsewhere)
	r.step()
	require.Empty(t, r.received(), "nobody offers the handler: it waits longer")
	r.pass(nowhere)
	r.step()
	again := r.received()
	require.Len(t, again, 1)
	require.Equal(t, 1, again[0].Attempt)

	r.beat(task.Heartbeat{Worker: "w2", Handlers: []string{"any@2"}})
	r.step()
	r.report("p", unserved)
	r.step()
	r.pass(elsewhere)
	r.step()
	require.Len(t, r.received(), 1)
	require.Zero(t, r.state("p").Steps()[0].Failures)
}

func TestTasksWhoseHandlerNobodyOffersDoNotHoldUpOthersOfTheProcess(t *testing.T) {
	r := newRig(t)
	r.options.Window = 4
	r.restart()
	def := fanOut()
	served := def.Steps[0]
	served.Address, served.Run.Handler = "served", "other"
	served.Out = definition.Outputs(definition.Binding{Local: "more", Data: "more"})
	def.Steps, def.Outputs = append(def.Steps, served), append(def.Outputs, "more")
	r.beat(task.Heartbeat{Worker: "w1", Handlers: []string{"other"}})
	r.step()
	r.send("p", def, 100)
	r.step()
	for _, w := range r.received() {
		require.Equal(t, "served", w.Address)
		r.report("p", task.Result{Address: "served", Attempt: 1, Tasks: w.Tasks, Outcome: task.Done})
	}
	for range 60 {
		r.step()
		for _, w := range r.received() {
			r.report("p", task.Result{Address: "served", Attempt: 1, Tasks: w.Tasks, Outcome: task.Done})
		}
	}
	require.Equal(t, 100, r.state("p").Steps()[1].Confirmed)

	r.beat(task.Heartbeat{Worker: "w2", Handlers: []string{"any@3"}})
	r.pass(nowhere)
	r.step()
	require.Len(t, r.received(), 4, "somebody has come who offers it")
}

func TestADeadlineHoldsThroughARestartOfTheOwner(t *testing.T) {
	r := newRig(t)
	def := fanOut()
	def.Deadline = task.Duration(time.Hour)
	r.send("p", def, 3)
	r.step()
	r.pass(59 * time.Minute)
	r.restart()
	r.step()
	require.Equal(t, process.Running, r.state("p").Status)
	r.pass(time.Minute)
	r.step()
	s := r.state("p")
	require.Equal(t, process.Failed, s.Status)
	require.Contains(t, s.Reason(), "deadline of 1h")
	require.Zero(t, r.pending("p"))
}

func TestARefusedCommandIsAnsweredAndNotQuarantined(t *testing.T) {
	r := begun(t, fanOut(), 1)
	replies := r.ask("p", process.RestartFrom{Address: "wrk"})
	r.step()
	a := r.answer(replies)
	require.True(t, a.Refused)
	require.Contains(t, a.Error, `did you mean "work"?`)
	require.Empty(t, r.quarantined())
}

func TestACommandOfAPersonThatComesTwiceIsCarriedOutOnce(t *testing.T) {
	r := begun(t, fanOut(), 2)
	c := process.RestartFrom{Address: "work", Asked: process.Asked{Command: "c1"}}
	r.ask("p", c)
	r.step()
	r.ask("p", c)
	r.step()
	require.Equal(t, 1, r.state("p").Generation("work"))
}

func TestAnyoneMayAskWhatRuns(t *testing.T) {
	r := begun(t, fanOut(func(s *definition.Step) { s.Timeout = task.Duration(time.Minute) }), 4)
	r.received()
	r.report("p", done(task.Span(0, 1)))
	r.report("p", done(task.Span(0, 1)))
	r.beat(task.Heartbeat{Worker: "w1", Slots: 2, Handlers: []string{"any"}, Holding: []task.Hold{{
		Process: "p", Address: "work", Attempt: 1, Tasks: task.Span(1, 3), Running: []task.Running{{Index: 2, Elapsed: task.Duration(time.Second)}},
	}}})
	r.step()
	replies, err := r.signals.Subscribe("reply.x")
	require.NoError(t, err)
	defer replies.Stop()
	question, err := json.Marshal(question{ReplyTo: "reply.x", Process: "p"})
	require.NoError(t, err)
	require.NoError(t, r.signals.Publish(r.ctx, topicAsk, question))
	require.NoError(t, r.signals.Publish(r.ctx, topicAsk, []byte("what?")))
	r.pass(2 * time.Second)
	r.step()
	var v View
	require.NoError(t, json.Unmarshal(<-replies.C(), &v))
	require.False(t, v.Certain)
	require.Equal(t, []WorkerView{{Worker: "w1", Slots: 2, Handlers: []string{"any"}, Holding: 3, Silent: task.Duration(2 * time.Second)}}, v.Workers)
	require.Equal(t, []RunningTask{{
		Process: "p", Address: "work", Index: 2, Attempt: 1, Worker: "w1",
		Elapsed: task.Duration(3 * time.Second), Timeout: task.Duration(time.Minute),
	}}, v.Running)
	require.Equal(t, 1, v.Queues[0].Late, "the second report of task 0 came too late")
}

func TestAChangeOfSettingsStopsNothingThatRuns(t *testing.T) {
	r := begun(t, fanOut(), 5)
	r.received()
	hold := task.Hold{Process: "p", Address: "work", Attempt: 1, Tasks: task.Span(0, 5)}
	r.beat(task.Heartbeat{Worker: "w1", Holding: []task.Hold{hold}})
	cancels := r.cancels()
	r.ask("p", process.ReviseProcess{Definition: fanOut(func(s *definition.Step) { s.Timeout = task.Duration(time.Hour) })})
	r.step()
	for _, c := range cancels() {
		require.False(t, c.Covers("work", 0), "as it arrives: %+v", c)
	}
	r.pass(rollCall)
	r.step()
	require.Empty(t, r.received(), "what workers hold is not sent again")
}
