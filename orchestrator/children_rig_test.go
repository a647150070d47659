package orchestrator

import (
	"encoding/json"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/deedrun/deed/orchestrator/definition"
	"github.com/deedrun/deed/orchestrator/process"
	"github.com/deedrun/deed/queue"
	"github.com/deedrun/deed/task"
)

// aFamily is a definition whose only step has a child for each part of "in". The
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

// settled is a rig whose process "p" has begun, and its children.
func settled(t testing.TB, def definition.Definition, parts int) *rig {
	r := newRig(t)
	r.send("p", def, parts)
	r.settle()
	return r
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
	for _, e := range happened(r.t, r.store, id) {
		all = append(all, e.String())
	}
	return strings.Join(all, "\n")
}

// command puts a person's command into the inbox.
func (r *rig) command(id string, c process.Command) {
	r.t.Helper()
	r.give(id, c, "reply.nobody")
}

// lose takes what is in the inbox for some process, as a power cut does.
func (r *rig) lose(id string) {
	r.t.Helper()
	require.NoError(r.t, r.inbox.Purge(r.ctx, id))
}

func (r *rig) noQuarantine() {
	r.t.Helper()
	require.Empty(r.t, r.quarantined())
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

// sendListed gives the parent a list that the core does not know.
func (r *rig) sendListed(id string, def definition.Definition, parts int) queue.Listener {
	r.t.Helper()
	data := task.Dataset{Count: parts, Digest: "d", Manifest: &task.Manifest{Ref: task.Ref{Key: "sha256/00/list", Size: 1}}}
	return r.demand(id, startOf(id, def, data), "reply."+id)
}
