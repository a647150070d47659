//go:build unix

package orchestrator

import (
	"encoding/json"
	"fmt"
	"runtime"
	"syscall"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/deedrun/deed/orchestrator/definition"
	"github.com/deedrun/deed/task"
)

// BenchmarkChildren has an owner start so many processes of one task each, all of
// which run at the same time, and then end: as children of one parent, or below
// parents of a hundred that are children themselves. Backends are in memory; what
// the owner remembers is told when all run, as the difference that it makes to
// the heap that the owner is dropped. Time is what the CPU worked.
func BenchmarkChildren(b *testing.B) {
	for _, n := range []int{1_000, 3_000, 10_000} {
		b.Run(fmt.Sprintf("wide/%d", n), func(b *testing.B) { benchmarkChildren(b, aFamily(), n, n) })
		b.Run(fmt.Sprintf("nested/%d", n), func(b *testing.B) { benchmarkChildren(b, parentOf(aFamilyOf(100)), n/100, n) })
	}
}

// aFamilyOf is a parent of so many children, whatever it is given.
func aFamilyOf(n int) definition.Definition {
	one := fanOut()
	one.Name = ""
	b := definition.Binding{Local: "in", Data: "in"}
	making := definition.Step{Address: "make", Run: task.Run{Handler: fmt.Sprintf("make-%d", n)}, In: []definition.Binding{b}, Out: definition.Outputs(definition.Binding{Local: "made", Data: "made"})}
	each := parentOf(one).Steps[0]
	each.Each = &definition.Each{Binding: definition.Binding{Local: "in", Data: "made"}}
	return definition.Definition{Inputs: []string{"in"}, Steps: []definition.Step{making, each}, Outputs: []string{"out"}}
}

// crowd is a rig of which the benchmark plays the workers.
type crowd struct {
	*rig
	done []task.Work // of leaves, received and not reported

	leaves, steps int
}

func benchmarkChildren(b *testing.B, def definition.Definition, parts, leaves int) {
	for range b.N {
		c := &crowd{rig: newRig(b), leaves: leaves}
		c.options.Window = 2 * leaves
		c.restart()
		began := cpuTime(b)
		c.send("root", def, parts)
		for len(c.done) < leaves {
			c.step()
		}
		b.ReportMetric(float64((cpuTime(b) - began).Milliseconds()), "cpu-ms-until-all-run")
		b.ReportMetric(float64(c.remembered())/1e6, "MB-owner")
		for c.owner.taking != nil || c.owner.shards == 0 || c.owner.children.busy() {
			c.step()
		}
		began = cpuTime(b)
		for c.reportLeaves(); !c.ended(); {
			c.step()
		}
		b.ReportMetric(float64((cpuTime(b) - began).Milliseconds()), "cpu-ms-until-all-ended")
	}
}

// step is one of the owner, and what workers do after it: they make parts at
// once, and keep the tasks of leaves until all of these run.
func (c *crowd) step() {
	c.steps++
	require.Less(c.t, c.steps, 100_000, "it does not come to an end")
	c.pass(10 * time.Millisecond)
	c.beat(task.Heartbeat{Worker: "w1", Slots: c.leaves, Handlers: []string{"any", "make-100"}})
	c.rig.step()
	for _, w := range c.received() {
		if w.Address == "work" {
			c.done = append(c.done, w)
			continue
		}
		r := task.Result{Address: w.Address, Attempt: 1, Tasks: w.Tasks, Outcome: task.Done}
		if w.Seal != nil {
			r.Sealed = merged(w.Seal)
		}
		for range parents(w) {
			r.Parts = append(r.Parts, task.Produced{Data: "made", Part: task.Part{Value: json.RawMessage(`1`)}})
		}
		c.report(w.Process, r)
	}
}

// parents is how many children the process wants that a task is of.
func parents(w task.Work) (n int) {
	if w.Seal == nil {
		_, _ = fmt.Sscanf(w.Run.Handler, "make-%d", &n)
	}
	return n
}

// merged is what comes of a merge, as far as an owner knows.
func merged(s *task.Seal) *task.Dataset {
	d := &task.Dataset{Digest: "d", Manifest: &task.Manifest{Ref: task.Ref{Key: "root/each/0/list", Size: 1}}}
	for _, source := range s.Sources {
		d.Count += len(source.Parts)
		if source.Merged != nil {
			d.Count++ // what a child handed up, or an earlier merge
		}
	}
	return d
}

// reportLeaves ends all that run.
func (c *crowd) reportLeaves() {
	for _, w := range c.done {
		c.finish(w.Process)
	}
	c.done = nil
}

// remembered is how many bytes of the heap only the owner holds. After it another
// owner goes on, as after a takeover.
func (c *crowd) remembered() int64 {
	heap := func() int64 {
		runtime.GC()
		runtime.GC()
		var m runtime.MemStats
		runtime.ReadMemStats(&m)
		return int64(m.HeapAlloc)
	}
	with := heap()
	c.owner.Close()
	c.owner = nil
	without := heap()
	c.owner = c.newOwner()
	return with - without
}

func (c *crowd) ended() bool {
	if c.owner.processes["root"] == nil {
		return false
	}
	return c.owner.processes["root"].Ended()
}

// cpuTime is what the process has used so far: other than the time of day, it
// does not depend on what else the machine does.
func cpuTime(b *testing.B) time.Duration {
	b.Helper()
	var u syscall.Rusage
	require.NoError(b, syscall.Getrusage(syscall.RUSAGE_SELF, &u))
	return time.Duration(u.Utime.Nano() + u.Stime.Nano())
}
