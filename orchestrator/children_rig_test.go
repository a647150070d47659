package orchestrator

import (
	"encoding/json"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/deedrun/deed/orchestrator/definition"
	"github.com/deedrun/deed/orchestrator/process"
	"github.com/deedrun/deed/queue"
	"github.com/deedrun/deed/task"
)

// family is a definition whose only step has a child for each part of "in". The
// child is one task, "work", for each part of its own "in".
func aFamily(options ...func(*definition.Step)) definition.Definition {
	child := fanOut()
	child.Name = ""
	return parentOf(child, options...)
}

func parentOf(child definition.Definition, options ...func(*definition.Step)) definition.Definition {
	b := func(n string) definition.Binding { return definition.Binding{Local: n, Data: n} }
	s := definition.Step{
		Address: "each", Each: &definition.Each{Binding: b("in")}, Out: definition.Outputs(b("out")), Process: &child,
		Retry: definition.Retry{Attempts: 1},
	}
	for _, o := range options {
		o(&s)
	}
	return definition.Definition{Name: "family", Inputs: []string{"in"}, Steps: []definition.Step{s}, Outputs: []string{"out"}}
}

// childOf is the ID of the child of task i of the step "each".
func childOf(id string, i int) string { return childAt(id, i, 0, 1) }

func childAt(id string, i, generation, attempt int) string {
	return process.ChildID(process.Parent{Process: id, Address: "each", Generation: generation, Index: i, Attempt: attempt, Root: id})
}

// settle steps until nothing more follows at once.
func (r *rig) settle() {
	r.t.Helper()
	quiet, before := 0, -1
	for range 200 {
		r.step()
		events := 0
		for c, err := range r.store.Ends(r.ctx, streamPrefix) {
			require.NoError(r.t, err)
			events += int(c.Version())
		}
		if quiet++; events != before || r.owner.children.busy() {
			quiet = 0
		}
		if before = events; quiet == 3 {
			return
		}
	}
	require.Fail(r.t, "it does not come to rest")
}

// finish has a child's only task done.
func (r *rig) finish(child string) {
	r.t.Helper()
	r.report(child, task.Result{
		Address: "work", Attempt: 1, Tasks: task.Of(0), Outcome: task.Done,
		Parts: []task.Produced{{Index: 0, Data: "out", Part: task.Part{Value: json.RawMessage(`1`)}}},
	})
}

func (r *rig) status(id string) process.Status {
	r.t.Helper()
	return r.state(id).Status
}

// sentences are the events of a process, said.
func (r *rig) sentences(id string) string {
	r.t.Helper()
	var all []string
	for e, err := range History(r.ctx, r.store, id) {
		require.NoError(r.t, err)
		event, err := process.Decode(process.Stored(e.Record))
		require.NoError(r.t, err)
		all = append(all, event.String())
	}
	return strings.Join(all, "\n")
}

// command puts a person's command into the inbox.
func (r *rig) command(id string, c process.Command) {
	r.t.Helper()
	encoded, err := process.EncodeCommand(c)
	require.NoError(r.t, err)
	r.put(id, task.Envelope{Command: encoded, ReplyTo: "reply.nobody"})
}

// lose takes what is in the inbox for some process, as a power cut does.
func (r *rig) lose(id string) {
	r.t.Helper()
	require.NoError(r.t, r.inbox.Purge(r.ctx, id))
}

func (r *rig) noQuarantine() {
	r.t.Helper()
	bad, err := r.bad.Receive(r.ctx, 10, 0)
	require.NoError(r.t, err)
	for _, d := range bad {
		require.Fail(r.t, "a message is in quarantine", string(d.Body))
	}
}

// crashAt is an owner that dies when it comes by a failpoint.
func (r *rig) crashAt(point string, when func() bool) {
	r.t.Helper()
	type crash struct{}
	r.options.Failpoint = func(name string) {
		if name == point && when() {
			panic(crash{})
		}
	}
	r.owner.Failpoint = r.options.Failpoint
	defer func() {
		r.options.Failpoint = nil
		r.restart()
	}()
	require.PanicsWithValue(r.t, crash{}, func() {
		for range 50 {
			_, _ = r.owner.Step(r.ctx, r.now)
		}
	})
}

func processesOf(work []task.Work) []string {
	var ids []string
	for _, w := range work {
		ids = append(ids, w.Process)
	}
	slices.Sort(ids)
	return slices.Compact(ids)
}

func sorted(ids ...string) []string { slices.Sort(ids); return ids }

// manifest gives the parent a list that the core does not know.
func (r *rig) sendListed(id string, def definition.Definition, parts int) queue.Listener {
	r.t.Helper()
	data := task.Dataset{Count: parts, Digest: "d", Manifest: &task.Manifest{Ref: task.Ref{Key: "sha256/00/list", Size: 1}}}
	command, err := process.EncodeCommand(process.StartProcess{ID: id, Definition: def, Inputs: map[string]task.Dataset{"in": data}})
	require.NoError(r.t, err)
	replies, err := r.signals.Subscribe("reply." + id)
	require.NoError(r.t, err)
	r.t.Cleanup(replies.Stop)
	r.put(id, task.Envelope{Command: command, ReplyTo: "reply." + id})
	return replies
}

func TestAChildIsAProcessOfItsOwnAndWhatItWritesIsWhatItsTaskWrote(t *testing.T) {
	r := newRig(t)
	r.send("p", aFamily(), 3)
	r.settle()
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
	r := newRig(t)
	r.send("p", parentOf(aFamily()), 2)
	r.settle()
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
	r := newRig(t)
	r.send("p", aFamily(), 2)
	r.settle()
	r.report(childOf("p", 0), task.Result{Address: "work", Attempt: 1, Tasks: task.Of(0), Outcome: task.Failed, Failure: &task.Failure{Error: "no such album", Verdict: task.Permanent}})
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
	r := newRig(t)
	r.send("p", aFamily(func(s *definition.Step) { s.Retry.Attempts = 2 }), 1)
	r.settle()
	r.report(childOf("p", 0), task.Result{Address: "work", Attempt: 1, Tasks: task.Of(0), Outcome: task.Failed, Failure: &task.Failure{Error: "bad luck", Verdict: task.Permanent}})
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
	r := newRig(t)
	r.send("p", parentOf(aFamily()), 2)
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

func TestAChildThatAPersonCancelsFailsItsTaskForGood(t *testing.T) {
	r := newRig(t)
	r.send("p", aFamily(func(s *definition.Step) { s.Retry.Attempts = 5 }), 1)
	r.settle()
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
			r := newRig(t)
			r.send("p", aFamily(), 1)
			r.settle()
			child := childOf("p", 0)
			r.report(child, task.Result{Address: "work", Attempt: 1, Tasks: task.Of(0), Outcome: task.Failed, Failure: &task.Failure{Error: "bad luck", Verdict: task.Permanent}})
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
	r := newRig(t)
	r.send("p", parentOf(aFamily()), 1)
	r.settle()
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
	r := newRig(t)
	r.send("p", parentOf(aFamily()), 2)
	r.settle()
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
	r := newRig(t)
	r.send("p", aFamily(), 1)
	r.settle()
	r.command(childOf("p", 0), process.PauseProcess{Asked: process.Asked{By: "ada"}})
	r.settle()
	r.command("p", process.PauseProcess{Asked: process.Asked{By: "bo"}})
	r.settle()
	r.command("p", process.ResumeProcess{})
	r.settle()
	require.Equal(t, process.Paused, r.status(childOf("p", 0)))
}

func TestARetryOfAParentMakesItsStoppedChildrenGoOnWhereTheyWere(t *testing.T) {
	r := newRig(t)
	r.send("p", aFamily(), 2)
	r.settle()
	r.report(childOf("p", 0), task.Result{Address: "work", Attempt: 1, Tasks: task.Of(0), Outcome: task.Failed, Failure: &task.Failure{Error: "bad luck", Verdict: task.Permanent}})
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
	r := newRig(t)
	r.send("p", aFamily(), 2)
	r.settle()
	r.command("p", process.RestartFrom{Address: "each", Asked: process.Asked{By: "ada"}})
	r.settle()
	for i := range 2 {
		require.Equal(t, process.Cancelled, r.status(childOf("p", i)))
		require.Equal(t, process.Running, r.status(childAt("p", i, 1, 1)))
	}
	r.noQuarantine()
}

func TestTheTimeoutOfAStepIsTheDeadlineOfItsChildren(t *testing.T) {
	r := newRig(t)
	r.send("p", aFamily(func(s *definition.Step) { s.Timeout = task.Duration(time.Minute) }), 1)
	r.settle()
	r.pass(time.Minute)
	r.settle()
	require.Equal(t, process.Failed, r.status(childOf("p", 0)))
	require.Equal(t, process.Failed, r.status("p"))
	require.Contains(t, r.state("p").Reason(), "deadline")
}

func TestTheTraceOfAProcessIsThatOfItsChildren(t *testing.T) {
	const trace = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01"
	r := newRig(t)
	command, err := process.EncodeCommand(process.StartProcess{
		ID: "p", Definition: aFamily(), Trace: trace, Inputs: map[string]task.Dataset{"in": task.Inline([]task.Part{{Value: json.RawMessage(`1`)}})},
	})
	require.NoError(t, err)
	r.put("p", task.Envelope{Command: command, ReplyTo: "reply.p"})
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
