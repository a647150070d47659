package process

import (
	"fmt"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"

	"github.com/deedrun/deed/task"
)

// A hundred random lives of a process by default; -rapid.checks=10000 for more.
// A failing one is shrunk, and told as commands and events.
func TestWhateverHappensAndWhateverPersonsAskForEveryRuleHoldsAndAProcessThatIsOpenCanReachItsEnd(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		w, done := newWorld(t), false
		defer func() {
			if !done {
				t.Logf("what happened:%s", w.story)
			}
		}()
		inputs := map[string]task.Dataset{"in": listOf(rapid.IntRange(0, 9).Draw(t, "in")), "extra": manifestOf(2)}
		first := StartProcess{ID: "p", Definition: randomDefinition(t), Inputs: inputs, At: w.at}
		w.tell(first)
		for range rapid.IntRange(15, 70).Draw(t, "commands") {
			w.at = w.at.Add(time.Duration(rapid.IntRange(0, 3000).Draw(t, "later")) * time.Millisecond)
			w.something()
		}
		w.at = w.at.Add(time.Second)
		require.False(t, w.tell(first), "the same start again changes nothing")
		switch w.s.Status {
		case Failed, Cancelled:
			require.True(t, w.tell(RetryTasks{At: w.at}), "what has failed can be tried again")
		case Completed:
			w.tell(RestartFrom{Address: w.s.Definition.Steps[0].Address, At: w.at})
		}
		w.perfect()
		w.rules.history(t, w)
		done = true
	})
}

// something is one thing that happens: to a task, to a timer, or because a
// person asks for it.
func (w *world) something() {
	what := rapid.SampledFrom([]func(){
		w.report, w.person, w.report, w.timer, w.report, w.report, w.person, w.nonsense, w.report, w.person,
	}).Draw(w.t, "what")
	what()
}

// report is a worker, alive or presumed dead, that speaks of tasks that it was
// sent: mostly of those that wait, sometimes of some that are long over.
func (w *world) report() {
	e, ok := w.some()
	if !ok {
		return
	}
	failed := FailTasks{Address: e.Address, Generation: e.Generation, Attempt: e.Attempt, Tasks: e.Tasks, Error: "no", Worker: "w", At: w.at}
	switch rapid.SampledFrom([]string{"done", "done", "failed", "done", "lost", "timeout", "done", "for good", "deadly", "reused"}).Draw(w.t, "reported") {
	case "reused":
		done := w.result(e)
		if done.Sealed != nil || done.Lists != nil {
			return
		}
		reuse := ReuseTasks{
			Address: done.Address, Generation: done.Generation, Attempt: done.Attempt, Tasks: done.Tasks, Parts: done.Parts, Manifest: done.Manifest, At: w.at,
		}
		for i := range done.Tasks.All() {
			reuse.Origins = append(reuse.Origins, task.Origin{Index: i, Attempt: task.Attempt{Process: "earlier", Address: "same", Attempt: 1}})
		}
		w.tell(reuse)
		require.False(w.t, w.tell(reuse), "the same again changes nothing")
	case "done":
		done := w.result(e)
		w.tell(done)
		require.False(w.t, w.tell(done), "the same report again changes nothing")
	case "failed":
		failed.Verdict = rapid.SampledFrom([]task.Verdict{task.Retry, task.TimedOut, "unheard of"}).Draw(w.t, "verdict")
		failed.After = task.Duration(rapid.SampledFrom([]time.Duration{0, 0, 7 * time.Second, -time.Hour}).Draw(w.t, "after"))
		w.tell(failed)
		require.False(w.t, w.tell(failed), "the same failure again changes nothing")
	case "for good":
		failed.Verdict = task.Permanent
		w.tell(failed)
	case "lost":
		w.tell(LoseTasks{Address: e.Address, Generation: e.Generation, Attempt: e.Attempt, Tasks: e.Tasks, Worker: "x", At: w.at})
	case "deadly":
		for range LossBudget + 1 {
			w.tell(LoseTasks{Address: e.Address, Generation: e.Generation, Attempt: e.Attempt, Tasks: e.Tasks, Worker: "x", At: w.at})
			e.Attempt++
		}
	case "timeout":
		w.tell(TryTimeoutTask{Address: e.Address, Generation: e.Generation, Attempt: e.Attempt, Index: e.Tasks[0].First, Worker: "w", At: w.at})
	}
}

// some picks tasks that share a message.
func (w *world) some() (Enqueue, bool) {
	waiting := w.waiting()
	if len(waiting) == 0 || len(w.sent) > 0 && rapid.IntRange(0, 4).Draw(w.t, "late") == 0 {
		if len(w.sent) == 0 {
			return Enqueue{}, false
		}
		return rapid.SampledFrom(w.sent).Draw(w.t, "late task"), true
	}
	e := waiting[rapid.IntRange(0, len(waiting)-1).Draw(w.t, "which message")]
	n := rapid.IntRange(1, e.Tasks.Len()).Draw(w.t, "how many")
	if head, rest := e.Tasks.Take(n); rapid.Bool().Draw(w.t, "the first of them") || len(rest) == 0 {
		e.Tasks = head
	} else {
		e.Tasks = rest
	}
	return e, true
}

func (w *world) timer() {
	planned := w.planned()
	if n := rapid.IntRange(0, len(planned)).Draw(w.t, "which timer"); n < len(planned) {
		w.fire(planned[n])
		return
	}
	w.tell(FireDeadline{At: w.at})
}

// person is somebody who asks for something.
func (w *world) person() {
	t := w.t
	w.nonce++
	asked := Asked{By: "ada", Reason: "so", Command: fmt.Sprint("c", w.nonce)}
	step := rapid.SampledFrom(w.s.Definition.Steps).Draw(t, "step")
	var c Command
	switch rapid.SampledFrom([]string{"revise", "restart", "pause", "retry", "resume", "cancel", "retry all", "repeat", "revise", "resume"}).Draw(t, "asks to") {
	case "pause":
		c = PauseProcess{Asked: asked, At: w.at}
	case "resume":
		c = ResumeProcess{Asked: asked, At: w.at}
	case "cancel":
		c = CancelProcess{Asked: asked, At: w.at}
	case "retry all":
		c = RetryTasks{Asked: asked, At: w.at}
	case "retry":
		retry := RetryTasks{Address: step.Address, Asked: asked, At: w.at}
		if rapid.Bool().Draw(t, "single tasks") {
			retry.Tasks = task.Of(rapid.SliceOfN(rapid.IntRange(0, 4), 1, 2).Draw(t, "tasks")...)
		}
		c = retry
	case "restart":
		c = RestartFrom{Address: rapid.SampledFrom([]string{step.Address, "g"}).Draw(t, "from"), Asked: asked, At: w.at}
	case "revise":
		def, how := revised(t, *w.s.Definition, w.nonce)
		asked.Reason = how
		c = ReviseProcess{Definition: def, Base: rapid.SampledFrom([]string{"", w.s.Hash, "another"}).Draw(t, "base"), Asked: asked, At: w.at}
	case "repeat":
		if len(w.granted) > 0 {
			again := rapid.SampledFrom(w.granted).Draw(t, "again")
			require.False(t, w.tell(again), "a command that was granted changes nothing when it comes again")
		}
		return
	}
	if w.tell(c) {
		w.granted = append(w.granted, c)
	}
}

// nonsense is a message that no sound program sends.
func (w *world) nonsense() {
	t := w.t
	e := Enqueue{Address: "nowhere", Attempt: 1, Tasks: task.Span(0, 1)}
	if len(w.sent) > 0 {
		e = rapid.SampledFrom(w.sent).Draw(t, "about")
	}
	switch rapid.IntRange(0, 3).Draw(t, "nonsense") {
	case 0:
		e.Address = "nowhere"
	case 1:
		e.Tasks = rapid.SampledFrom([]task.Ranges{nil, task.Span(1000, 3), task.Span(-1, 2)}).Draw(t, "tasks")
	case 2:
		e.Generation += rapid.SampledFrom([]int{-1, 1, 100}).Draw(t, "generation")
	}
	switch rapid.IntRange(0, 4).Draw(t, "as") {
	case 0:
		w.tell(ConfirmTasks{
			Address: e.Address, Generation: e.Generation, Attempt: e.Attempt, Tasks: e.Tasks, At: w.at,
			Parts: []task.Produced{{Index: 1 << 40, Data: "nothing"}},
		})
	case 1:
		w.tell(ConfirmTasks{
			Address: e.Address, Generation: e.Generation, Attempt: e.Attempt, Tasks: e.Tasks, At: w.at,
			Sealed: &task.Dataset{Count: rapid.IntRange(-1, 1).Draw(t, "count"), Keys: rapid.IntRange(-1, 1).Draw(t, "keys")},
		})
	case 2:
		w.tell(LoseTasks{Address: e.Address, Generation: e.Generation, Attempt: e.Attempt, Tasks: e.Tasks, At: w.at})
	case 3:
		w.tell(FireTimer{Address: e.Address, Generation: e.Generation, Attempt: e.Attempt, Tasks: e.Tasks, At: w.at})
	case 4:
		w.tell(TryTimeoutTask{Address: e.Address, Generation: e.Generation, Attempt: e.Attempt, Index: -1, At: w.at})
	}
}
