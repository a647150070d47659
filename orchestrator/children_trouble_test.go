package orchestrator

import (
	"encoding/json"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/deedrun/deed/orchestrator/definition"
	"github.com/deedrun/deed/orchestrator/process"
	"github.com/deedrun/deed/queue"
	"github.com/deedrun/deed/task"
)

func TestAStartThatGotLostIsSentAgainWithGrowingPauses(t *testing.T) {
	r := newRig(t)
	child := childOf("p", 0)
	r.send("p", aFamily(), 1)
	r.step()
	var pauses []time.Duration
	last := r.now
	for range 4 {
		r.lose(child)
		for range 200 {
			r.pass(time.Second)
			r.step()
			if n, err := r.inbox.Pending(r.ctx, child); err == nil && n > 0 {
				break
			}
		}
		pauses = append(pauses, r.now.Sub(last))
		last = r.now
	}
	require.Equal(t, []time.Duration{5 * time.Second, 10 * time.Second, 20 * time.Second, 40 * time.Second}, pauses)
	r.settle()
	require.Equal(t, process.Running, r.status(child))
}

func TestWhatAChildSaidAndWasLostItSaysAgain(t *testing.T) {
	r := newRig(t)
	child := childOf("p", 0)
	r.send("p", aFamily(), 1)
	r.settle()
	r.finish(child)
	for r.status(child) == process.Running {
		r.step()
	}
	r.lose("p") // the end of the child
	r.settle()
	require.Equal(t, process.Running, r.status("p"))
	for range 40 {
		r.pass(silentFor / 20)
		r.step()
	}
	r.settle()
	require.Equal(t, process.Completed, r.status("p"))
}

func TestAnOwnerThatDiesBeforeItTellsAParentLeavesThatToTheNext(t *testing.T) {
	for _, point := range []string{"orchestrator.after-append", "orchestrator.before-ack"} {
		t.Run(point, func(t *testing.T) {
			r := newRig(t)
			child := childOf("p", 0)
			r.send("p", aFamily(), 1)
			r.settle()
			r.finish(child)
			r.crashAt(point, func() bool { return r.status(child) == process.Completed })
			told, err := r.inbox.Pending(r.ctx, "p")
			require.NoError(t, err)
			require.Equal(t, point == "orchestrator.before-ack", told > 0, "what led to the end is acknowledged once the parent is told of it")
			r.pass(lease)
			r.settle()
			require.Equal(t, process.Completed, r.status("p"))
			r.noQuarantine()
		})
	}
}

func TestATakeoverStartsNoChildTwiceAndLosesNone(t *testing.T) {
	r := begun(t, aFamily(), 30)
	r.step()
	r.restart()
	r.settle()
	require.Equal(t, 1, strings.Count(r.sentences(childOf("p", 7)), "started by")+strings.Count(r.sentences(childOf("p", 7)), "process family/each started"))
	for i := range 30 {
		r.finish(childOf("p", i))
	}
	r.restart()
	r.pass(lease)
	r.settle()
	require.Equal(t, process.Completed, r.status("p"))
	ids, err := IDs(r.ctx, r.store, "p-")
	require.NoError(t, err)
	require.Len(t, ids, 30)
}

func TestChildrenWhoseParentEndedUnnoticedAreStoppedWhenTheySayThatTheyGoOn(t *testing.T) {
	r := settled(t, aFamily(), 3)
	_, err := Record(r.ctx, r.store, "p", r.now, process.CancelProcess{Asked: process.Asked{By: "ada"}})
	require.NoError(t, err)
	r.restart()
	r.settle()
	for i := range 3 {
		require.Equal(t, process.Cancelled, r.status(childOf("p", i)))
	}
	r.noQuarantine()
}

func TestAChildOfAnAttemptThatPassedIsStoppedWhenItSaysThatItGoesOn(t *testing.T) {
	r := settled(t, aFamily(), 1)
	r.command("p", process.RestartFrom{Address: "each", Asked: process.Asked{By: "ada"}})
	for r.state("p").Version < 5 {
		r.step()
	}
	r.owner.children.orders = nil // as if the owner had died
	r.lose(childOf("p", 0))
	r.settle()
	require.Equal(t, process.Running, r.status(childOf("p", 0)))
	r.pass(sayAfter)
	r.settle()
	require.Equal(t, process.Cancelled, r.status(childOf("p", 0)))
	require.Equal(t, process.Running, r.status(childAt("p", 0, 1, 1)))
}

func TestAnOwnerThatHasFallenBehindStopsNoChildOfAnother(t *testing.T) {
	r := settled(t, aFamily(), 1)
	behind := r.owner
	r.command("p", process.CancelProcess{Asked: process.Asked{By: "ada"}})
	r.settle()
	require.Equal(t, process.Cancelled, r.status(childOf("p", 0)))
	r.owner = r.newOwner()
	r.settle()
	r.command("p", process.RetryTasks{Asked: process.Asked{By: "ada"}})
	r.settle()
	require.Equal(t, process.Running, r.status("p"))
	require.Equal(t, process.Running, r.status(childOf("p", 0)))

	behind.children.heard = append(behind.children.heard, hearing{"p", birth{address: "each"}, 1, false})
	for range 3 {
		_, err := behind.Step(r.ctx, r.now)
		require.NoError(t, err)
	}
	behind.Close()
	r.settle()
	require.Equal(t, process.Running, r.status(childOf("p", 0)))
}

func TestOfTwoOwnersNeitherStartsAChildTwiceNorLosesOne(t *testing.T) {
	r := newRig(t)
	first := r.owner
	second := r.newOwner()
	defer first.Close()
	r.send("p", aFamily(), 10)
	for i := range 40 {
		r.owner = map[bool]*Owner{true: first, false: second}[i%2 == 0]
		r.step()
		if i < 10 && r.state(childOf("p", i)).Version > 0 {
			r.finish(childOf("p", i))
		}
	}
	for i := range 10 {
		r.finish(childOf("p", i))
	}
	for i := range 40 {
		r.owner = map[bool]*Owner{true: first, false: second}[i%3 == 0]
		r.step()
		r.pass(time.Second)
	}
	r.owner = second
	require.Equal(t, process.Completed, r.status("p"), r.sentences("p"))
	require.NoError(t, r.state("p").Damage())
}

func TestAStartOfAChildThatHasEndedTellsItsParentHowAgain(t *testing.T) {
	r := settled(t, aFamily(), 1)
	s := r.state("p")
	again, err := process.Child(s, s.Children()[0], 0, nil, r.now)
	require.NoError(t, err)
	r.finish(childOf("p", 0))
	for r.status(childOf("p", 0)) == process.Running {
		r.step()
	}
	r.lose("p")
	r.give(again.ID, again, "")
	r.settle()
	require.Equal(t, process.Completed, r.status("p"))
}

func TestAChildWhoseIDIsTakenFailsItsTaskWithTheReason(t *testing.T) {
	r := newRig(t)
	r.send(childOf("p", 0), fanOut(), 1)
	r.settle()
	r.send("p", aFamily(), 1)
	r.settle()
	s := r.state("p")
	require.Equal(t, process.Failed, s.Status)
	require.Contains(t, s.Reason(), "the ID is taken by a process that is not the child of p/each[0] attempt 1")
	r.noQuarantine()
}

func TestARevisionOfAParentIsNotHeldAgainstChildrenThatRun(t *testing.T) {
	r := settled(t, aFamily(), 1)
	s := r.state("p")
	start, err := process.Child(s, s.Children()[0], 0, nil, r.now)
	require.NoError(t, err)
	start.Definition.Deadline = task.Duration(time.Hour) // as a longer timeout of the step makes it
	r.give(start.ID, start, "")
	r.settle()
	require.Equal(t, process.Running, r.status("p"))
	require.Equal(t, process.Running, r.status(start.ID))
	r.noQuarantine()
}

func TestWhatAChildReadsIsLookedUpByAWorkerWhereTheCoreDoesNotKnowIt(t *testing.T) {
	r := newRig(t)
	r.sendListed("p", aFamily(), 2)
	r.settle()
	work := r.received()
	require.Equal(t, task.Span(0, 2), indexes(work))
	require.Equal(t, task.ChildHandler, work[0].Run.Handler)

	element := task.Inline([]task.Part{{Value: json.RawMessage(`7`)}})
	prepared := func(i int) task.Result {
		return task.Result{Address: "each", Attempt: 1, Tasks: task.Of(i), Outcome: task.Prepared, Inputs: map[string]task.Dataset{"in": element}}
	}
	r.report("p", prepared(0), prepared(1))
	r.settle()
	for i := range 2 {
		require.Equal(t, element.Digest, r.state(childOf("p", i)).Inputs["in"].Digest)
	}
	r.report("p", task.Result{Address: "each", Attempt: 1, Tasks: task.Of(0), Outcome: task.Lost}) // its message came again
	r.received()
	for range 10 { // nobody has these tasks, and they are not sent again
		r.pass(lease / 2)
		r.settle()
	}
	require.Empty(t, processOf(r.received(), "p"))
	require.NotContains(t, r.sentences("p"), "lost")
	r.finish(childOf("p", 0))
	r.finish(childOf("p", 1))
	r.settle()
	require.Equal(t, process.Completed, r.status("p"))
	r.noQuarantine()
}

func TestAfterATakeoverWhatChildrenReadIsLookedUpAgainAndTheyGoOn(t *testing.T) {
	r := newRig(t)
	r.sendListed("p", aFamily(), 1)
	r.settle()
	r.received()
	element := task.Inline([]task.Part{{Value: json.RawMessage(`7`)}})
	prepared := task.Result{Address: "each", Attempt: 1, Tasks: task.Of(0), Outcome: task.Prepared, Inputs: map[string]task.Dataset{"in": element}}
	r.report("p", prepared)
	r.settle()
	r.restart()
	r.settle()
	r.pass(rollCall)
	r.settle()
	r.report("p", prepared)
	r.settle()
	r.finish(childOf("p", 0))
	r.settle()
	require.Equal(t, process.Completed, r.status("p"))
	r.noQuarantine()
}

func processOf(work []task.Work, id string) (of []task.Work) {
	for _, w := range work {
		if w.Process == id {
			of = append(of, w)
		}
	}
	return of
}

func TestAWorkerCannotSayWhatBecameOfAChild(t *testing.T) {
	r := settled(t, aFamily(), 1)
	for _, result := range []task.Result{
		{Address: "each", Attempt: 1, Tasks: task.Of(0), Outcome: task.Done, Lists: map[string]task.Dataset{"out": task.Inline(nil)}},
		{Address: "each", Attempt: 1, Tasks: task.Of(0), Outcome: task.Begun},
	} {
		body, err := json.Marshal(task.Envelope{Report: &task.Report{Process: "p", Worker: "w1", Results: []task.Result{result}}})
		require.NoError(t, err)
		require.NoError(t, r.inbox.Send(r.ctx, queue.Message{Lane: queue.Reports, Key: "p", Body: body}))
	}
	r.report("p", task.Result{Address: "each", Attempt: 1, Tasks: task.Span(0, 1000), Outcome: task.Begun})
	r.settle()
	require.Equal(t, process.Running, r.status("p"))
	require.Len(t, r.quarantined(), 3)
}

func TestACommandOfAParentThatAChildRefusesIsNoQuarantine(t *testing.T) {
	r := newRig(t)
	for _, c := range []process.Command{process.CancelProcess{Asked: asParent("p")}, process.PauseProcess{Asked: asParent("p")}} {
		r.give("nobody", c, "")
	}
	r.settle()
	r.noQuarantine()
}

func TestAChildThatGoesOnSaysSoEverMoreSeldom(t *testing.T) {
	r := settled(t, aFamily(), 1)
	said := 0
	for range 3600 {
		r.pass(time.Second)
		r.owner.children.sayAgain(r.now)
		if len(r.owner.children.telling) > 0 {
			said++
		}
		require.NoError(t, r.owner.tellParents(r.ctx, r.now))
		require.NoError(t, r.inbox.Purge(r.ctx, "p"))
	}
	require.InDelta(t, 17, said, 2)
}

func TestAnEarlierAttemptThatCompletesAfterAllStopsTheChildOfTheLaterOne(t *testing.T) {
	r := settled(t, aFamily(func(s *definition.Step) { s.Retry.Attempts = 2 }), 1)
	first, second := childOf("p", 0), childAt("p", 0, 0, 2)
	r.report(first, failed(task.Of(0), "bad luck", task.Permanent))
	r.settle()
	r.pass(time.Minute)
	r.settle()
	require.Equal(t, process.Running, r.status(second))
	r.command(first, process.RetryTasks{Asked: process.Asked{By: "ada"}})
	for r.status(first) != process.Running {
		r.step()
	}
	r.lose("p") // that it goes on, for which it would be stopped
	r.settle()
	r.report(first, task.Result{
		Address: "work", Attempt: 2, Tasks: task.Of(0), Outcome: task.Done,
		Parts: []task.Produced{{Index: 0, Data: "out", Part: task.Part{Value: json.RawMessage(`1`)}}},
	})
	r.settle()
	require.Equal(t, process.Completed, r.status("p"), r.sentences("p"))
	require.Equal(t, process.Cancelled, r.status(second))
}

func TestAPauseAndItsEndReachChildrenInThatOrder(t *testing.T) {
	r := newRig(t)
	const many = ordersAtOnce + 50
	r.send("p", aFamily(), many)
	r.settle()
	r.command("p", process.PauseProcess{Asked: process.Asked{By: "ada"}})
	r.command("p", process.ResumeProcess{})
	r.settle()
	for i := range many {
		require.Equal(t, process.Running, r.status(childOf("p", i)), i)
	}
}

func TestAPauseThatComesLateHoldsUpNoChildForGood(t *testing.T) {
	r := settled(t, aFamily(), 1)
	child := childOf("p", 0)
	r.give(child, process.PauseProcess{Asked: asParent("p")}, "")
	r.settle()
	require.Equal(t, process.Paused, r.status(child))
	for range 5 {
		r.pass(time.Minute)
		r.step()
		r.step()
	}
	require.Equal(t, process.Running, r.status(child))
}
