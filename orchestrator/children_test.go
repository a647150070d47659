package orchestrator

import (
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/deedrun/deed/orchestrator/definition"
	"github.com/deedrun/deed/orchestrator/process"
	"github.com/deedrun/deed/task"
)

func TestAChildIsAProcessOfItsOwnAndWhatItWritesIsWhatItsTaskWrote(t *testing.T) {
	r := settled(t, aFamily(), 3)
	require.Equal(t, sorted(childOf("p", 0), childOf("p", 1), childOf("p", 2)), processesOf(r.received()))
	child := r.state(childOf("p", 1))
	require.Equal(t, "family/each", child.Definition.Name)
	require.Equal(t, process.Parent{Process: "p", Address: "each", Index: 1, Attempt: 1, Root: "p"}, *child.Parent)

	for i := range 3 {
		require.Equal(t, process.Running, r.status("p"), "%d children are done", i)
		r.finish(childOf("p", i))
		r.settle()
	}
	s := r.state("p")
	require.Equal(t, process.Completed, s.Status, r.sentences("p"))
	out, sealed := s.Data("out")
	require.True(t, sealed)
	require.Equal(t, 3, out.Count)
	r.noQuarantine()
}

func TestChildrenOfChildrenKnowTheRoot(t *testing.T) {
	r := settled(t, parentOf(aFamily()), 2)
	child := childOf("p", 1)
	grandchild := process.ChildID(process.Parent{Process: child, Address: "each", Attempt: 1, Root: "p"})
	s := r.state(grandchild)
	require.Equal(t, "p", s.Parent.Root)
	require.Equal(t, "family/each/each", s.Definition.Name)
	r.finish(grandchild)
	r.settle()
	require.Equal(t, process.Completed, r.status(child))
	require.Equal(t, process.Running, r.status("p"))
}

func TestAChildThatFailsFailsItsTask(t *testing.T) {
	r := settled(t, aFamily(), 2)
	r.report(childOf("p", 0), failed(task.Of(0), "no such album", task.Permanent))
	r.settle()
	s := r.state("p")
	require.Equal(t, process.Failed, s.Status)
	require.Contains(t, s.Reason(), childOf("p", 0))
	require.Contains(t, s.Reason(), "no such album")
	other := r.state(childOf("p", 1))
	require.Equal(t, process.Cancelled, other.Status)
	require.Equal(t, "process cancelled by parent p", other.Reason())
	r.noQuarantine()
}

func TestAChildThatFailsIsTriedAgainAsAnotherChildIfItsStepSaysSo(t *testing.T) {
	r := settled(t, aFamily(func(s *definition.Step) { s.Retry.Attempts = 2 }), 1)
	r.report(childOf("p", 0), failed(task.Of(0), "bad luck", task.Permanent))
	r.settle()
	require.Equal(t, process.Running, r.status("p"))
	r.pass(time.Minute)
	r.settle()
	second := childAt("p", 0, 0, 2)
	require.Equal(t, process.Running, r.status(second))
	r.finish(second)
	r.settle()
	require.Equal(t, process.Completed, r.status("p"))
}

func TestCancellingAParentCancelsAllItsDescendants(t *testing.T) {
	r := settled(t, parentOf(aFamily()), 2)
	r.command("p", process.CancelProcess{Asked: process.Asked{By: "ada"}})
	r.settle()
	ids, err := IDs(r.ctx, r.store, "p")
	require.NoError(t, err)
	require.Len(t, ids, 5)
	for _, id := range ids {
		require.Equal(t, process.Cancelled, r.status(id), id)
	}
	r.noQuarantine()
}

func TestAChildThatAPersonCancelsFailsItsTaskForGood(t *testing.T) {
	r := settled(t, aFamily(func(s *definition.Step) { s.Retry.Attempts = 5 }), 1)
	r.command(childOf("p", 0), process.CancelProcess{Asked: process.Asked{By: "ada", Reason: "not this one"}})
	r.settle()
	s := r.state("p")
	require.Equal(t, process.Failed, s.Status)
	require.Contains(t, s.Reason(), "cancelled by ada: not this one")
}

func TestAChildThatAPersonBeginsAnewIsStoppedIfItsParentDoesNotWaitForIt(t *testing.T) {
	for name, again := range map[string]process.Command{
		"retry": process.RetryTasks{Asked: process.Asked{By: "bo"}}, "restart": process.RestartFrom{Address: "work", Asked: process.Asked{By: "bo"}},
	} {
		t.Run(name, func(t *testing.T) {
			r := settled(t, aFamily(), 1)
			child := childOf("p", 0)
			r.report(child, failed(task.Of(0), "bad luck", task.Permanent))
			r.settle()
			require.Equal(t, process.Failed, r.status("p"))
			r.command(child, again)
			r.settle()
			require.Equal(t, process.Cancelled, r.status(child))
			require.Contains(t, r.sentences(child), "by bo", "it was granted before")
			r.noQuarantine()
		})
	}
}

func TestAPauseReachesChildrenAndItsEndToo(t *testing.T) {
	r := settled(t, parentOf(aFamily()), 1)
	child := childOf("p", 0)
	grandchild := process.ChildID(process.Parent{Process: child, Address: "each", Attempt: 1, Root: "p"})
	r.command("p", process.PauseProcess{Asked: process.Asked{By: "ada"}})
	r.settle()
	for _, id := range []string{"p", child, grandchild} {
		require.Equal(t, process.Paused, r.status(id), id)
	}
	r.command("p", process.ResumeProcess{})
	r.settle()
	for _, id := range []string{"p", child, grandchild} {
		require.Equal(t, process.Running, r.status(id), id)
	}
	r.finish(grandchild)
	r.settle()
	require.Equal(t, process.Completed, r.status("p"))
	r.noQuarantine()
}

func TestCancellingAPausedParentCancelsItsChildrenAtOnce(t *testing.T) {
	r := settled(t, parentOf(aFamily()), 2)
	r.command("p", process.PauseProcess{Asked: process.Asked{By: "ada"}})
	r.settle()
	r.command("p", process.CancelProcess{Asked: process.Asked{By: "ada"}})
	r.settle()
	ids, err := IDs(r.ctx, r.store, "p")
	require.NoError(t, err)
	require.Len(t, ids, 5)
	for _, id := range ids {
		require.Equal(t, process.Cancelled, r.status(id), id)
	}
	r.noQuarantine()
}

func TestAChildThatAPersonPausedStaysPausedWhenItsParentGoesOn(t *testing.T) {
	r := settled(t, aFamily(), 1)
	r.command(childOf("p", 0), process.PauseProcess{Asked: process.Asked{By: "ada"}})
	r.settle()
	r.command("p", process.PauseProcess{Asked: process.Asked{By: "bo"}})
	r.settle()
	r.command("p", process.ResumeProcess{})
	r.settle()
	require.Equal(t, process.Paused, r.status(childOf("p", 0)))
}

func TestARetryOfAParentMakesItsStoppedChildrenGoOnWhereTheyWere(t *testing.T) {
	r := settled(t, aFamily(), 2)
	r.report(childOf("p", 0), failed(task.Of(0), "bad luck", task.Permanent))
	r.settle()
	require.Equal(t, process.Cancelled, r.status(childOf("p", 1)))
	r.command("p", process.RetryTasks{Asked: process.Asked{By: "ada"}})
	r.settle()
	require.Equal(t, process.Running, r.status(childOf("p", 1)), r.sentences(childOf("p", 1)))
	r.finish(childOf("p", 1))
	r.settle()
	for attempt := 2; r.status("p") == process.Running && attempt < 4; attempt++ {
		if id := childAt("p", 0, 0, attempt); r.state(id).Version > 0 {
			r.finish(id)
			r.settle()
		}
	}
	require.Equal(t, process.Completed, r.status("p"), r.sentences("p"))
	r.noQuarantine()
}

func TestARestartStopsTheChildrenOfTheGenerationBefore(t *testing.T) {
	r := settled(t, aFamily(), 2)
	r.command("p", process.RestartFrom{Address: "each", Asked: process.Asked{By: "ada"}})
	r.settle()
	for i := range 2 {
		require.Equal(t, process.Cancelled, r.status(childOf("p", i)))
		require.Equal(t, process.Running, r.status(childAt("p", i, 1, 1)))
	}
	r.noQuarantine()
}

func TestTheTimeoutOfAStepIsTheDeadlineOfItsChildren(t *testing.T) {
	r := settled(t, aFamily(func(s *definition.Step) { s.Timeout = task.Duration(time.Minute) }), 1)
	r.pass(time.Minute)
	r.settle()
	require.Equal(t, process.Failed, r.status(childOf("p", 0)))
	require.Equal(t, process.Failed, r.status("p"))
	require.Contains(t, r.state("p").Reason(), "deadline")
}

func TestTheTraceOfAProcessIsThatOfItsChildren(t *testing.T) {
	const trace = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01"
	r := newRig(t)
	start := startOf("p", aFamily(), ones(1))
	start.Trace = trace
	r.command("p", start)
	r.settle()
	require.Equal(t, trace, r.state(childOf("p", 0)).Trace)
}

func TestManyChildrenAreStartedAFewAtATime(t *testing.T) {
	r := newRig(t)
	r.send("p", aFamily(), 3000)
	most := 0
	for range 100 {
		before, err := IDs(r.ctx, r.store, "p-")
		require.NoError(t, err)
		r.step()
		after, err := IDs(r.ctx, r.store, "p-")
		require.NoError(t, err)
		most = max(most, len(after)-len(before))
		if len(after) == 3000 {
			break
		}
	}
	ids, err := IDs(r.ctx, r.store, "p-")
	require.NoError(t, err)
	require.Len(t, ids, 3000)
	require.LessOrEqual(t, most, startsAtOnce)
	require.Positive(t, most)
}
