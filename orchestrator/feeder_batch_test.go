package orchestrator

import (
	"slices"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"

	"github.com/deedrun/deed/orchestrator/definition"
	"github.com/deedrun/deed/orchestrator/process"
	"github.com/deedrun/deed/task"
)

// sizes has tasks of a length, and lists how many tasks each message of a process
// carried, in the order in which they ended.
func sizes(p *plant, lasts time.Duration) *[]int {
	var all []int
	p.lasts = func(task.Work) time.Duration { return lasts }
	p.returns = func(w task.Work) bool {
		all = append(all, w.Tasks.Len())
		return false
	}
	return &all
}

func TestAMillionTasksOfAMicrosecondTravelInAFewHundredMessages(t *testing.T) {
	p := newPlant(t, slots(4))
	sent := sizes(p, time.Microsecond)
	p.starts(0, "p", 1_000_000)
	p.run("p", time.Minute)
	require.Len(t, p.begun["p"], 1_000_000)
	require.Less(t, len(*sent), 1000)
	require.Equal(t, 1, (*sent)[0], "how long they take is not known at first")
	require.Equal(t, batchMost, slices.Max(*sent))
}

func TestAMessageBringsNoMoreThanAFewHundredthsOfASecondOfWork(t *testing.T) {
	for _, lasts := range []time.Duration{10 * time.Microsecond, 300 * time.Microsecond, 2 * time.Millisecond, 15 * time.Millisecond} {
		p := newPlant(t, slots(4))
		sent := sizes(p, lasts)
		p.starts(0, "p", 10_000)
		p.run("p", time.Hour)
		most := slices.Max(*sent)
		require.LessOrEqual(t, time.Duration(most)*lasts, messageTime)
		require.GreaterOrEqual(t, time.Duration(most+1)*lasts, min(messageTime, 10_000/8*lasts), "nor much less, while there is enough: %s", lasts)
	}
}

func TestLongTasksTravelAlone(t *testing.T) {
	p := newPlant(t, slots(4))
	sent := sizes(p, 10*time.Minute)
	p.starts(0, "p", 40)
	p.run("p", 3*time.Hour)
	require.Equal(t, slices.Repeat([]int{1}, 40), *sent)
}

func TestTheLastMessagesAreSmallSoThatAllSlotsEndTogether(t *testing.T) {
	p := newPlant(t, slots(8))
	sizes(p, time.Millisecond)
	p.starts(0, "p", 4000)
	p.run("p", time.Minute)
	took := p.ended["p"].Sub(p.began)
	require.Less(t, took, 4000/8*time.Millisecond*11/10, "within a tenth of the best that 8 slots can do")
}

func TestWhoseMessageWasLostTravelsAlone(t *testing.T) {
	r := newRig(t)
	r.beat(task.Heartbeat{Worker: "w", Slots: 2})
	r.send("p", fanOut(), 100)
	r.step()
	r.report("p", quick(indexes(r.received())))
	r.step()
	var batch task.Work
	for _, w := range r.received() {
		if w.Tasks.Len() > batch.Tasks.Len() {
			batch = w
		}
	}
	require.Greater(t, batch.Tasks.Len(), 4)
	done, lost := batch.Tasks.Take(2)
	r.report("p", quick(done))
	r.report("p", task.Result{Address: "work", Attempt: 1, Tasks: batch.Tasks, Outcome: task.Lost})
	r.step()
	var again task.Ranges
	for range 10 {
		for _, w := range r.received() {
			if w.Attempt == 2 {
				require.Equal(t, 1, w.Tasks.Len())
				again = again.Union(w.Tasks)
			}
			one := quick(w.Tasks)
			one.Attempt = w.Attempt
			r.report("p", one)
		}
		r.pass(time.Minute)
		r.beat(task.Heartbeat{Worker: "w", Slots: 2})
		r.step()
	}
	require.Equal(t, lost, again, "what had been reported does not run again")
	require.Equal(t, process.Completed, r.state("p").Status)
}

// quick is a result of tasks that took no time.
func quick(tasks task.Ranges) task.Result {
	r := done(tasks)
	r.Elapsed = task.Duration(tasks.Len()) * task.Duration(time.Microsecond)
	return r
}

func TestAStepWhoseHandlerIsKnownToBeQuickBeginsWithSeveralTasksAMessage(t *testing.T) {
	r := newRig(t)
	r.beat(task.Heartbeat{Worker: "w", Slots: 2})
	r.send("first", fanOut(), 10)
	r.step()
	r.report("first", quick(indexes(r.received())))
	r.step()
	r.received()
	r.send("second", fanOut(), 100)
	r.step()
	got := r.received()
	require.Equal(t, task.Span(0, 100), indexes(got), "all of it goes out at once")
	require.Less(t, len(got), 20)
	for _, w := range got {
		require.LessOrEqual(t, w.Tasks.Len(), batchGuess)
	}
}

func TestTasksWithNeedsTravelAlone(t *testing.T) {
	p := newPlant(t, task.Heartbeat{Worker: "w", Slots: 4, Offer: task.Resources{CPU: 4}})
	sent := sizes(p, time.Microsecond)
	p.starts(0, "p", 100, step(func(s *definition.Step) { s.Needs.CPU = 1 }))
	p.run("p", time.Minute)
	require.Equal(t, 1, slices.Max(*sent))
}

// What is out as runs is the same as one by one, whatever goes out and comes back.
func TestRunsThatAreOutAgreeWithTasksThatAreOut(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		var o outs
		one := map[int]sending{}
		now := time.Date(2026, 1, 1, 12, 0, 0, 0, time.UTC)
		for range rapid.IntRange(1, 40).Draw(t, "steps") {
			now = now.Add(time.Duration(rapid.IntRange(0, 200).Draw(t, "ms")) * time.Millisecond)
			tasks := task.Of(rapid.SliceOfN(rapid.IntRange(0, 30), 1, 10).Draw(t, "tasks")...)
			s := sending{attempt: rapid.IntRange(1, 2).Draw(t, "attempt"), at: now, parts: rapid.IntRange(1, 2).Draw(t, "parts")}
			accepts := func(is sending) bool { return is.attempt == s.attempt }
			if rapid.Bool().Draw(t, "all") {
				accepts = nil
			}
			var free task.Ranges
			for i := range tasks.All() {
				if is, out := one[i]; !out || is.attempt != s.attempt {
					free = free.Union(task.Span(i, 1))
				}
			}
			require.Equal(t, free, o.without(tasks, 0, s.attempt))
			if rapid.Bool().Draw(t, "out") {
				o.remove(tasks, nil, func(run) {})
				for _, r := range tasks {
					o.add(r, s)
				}
				for i := range tasks.All() {
					one[i] = s
				}
			} else {
				var gone, want task.Ranges
				o.remove(tasks, accepts, func(r run) { gone = append(gone, r.Range) })
				for i := range tasks.All() {
					if is, out := one[i]; out && (accepts == nil || accepts(is)) {
						want = want.Union(task.Span(i, 1))
						delete(one, i)
					}
				}
				require.Equal(t, want.String(), gone.Union(nil).String())
			}
			n, end := 0, 0
			for _, r := range o.runs {
				require.GreaterOrEqual(t, r.First, end)
				end = r.End()
				for i := r.First; i < r.End(); i++ {
					is, out := one[i]
					require.True(t, out)
					require.Equal(t, is.attempt, r.attempt)
					require.Equal(t, is.parts, r.parts)
					require.Less(t, is.at.Sub(r.at).Abs(), alikeTime)
					n++
				}
			}
			require.Equal(t, len(one), n)
			require.Equal(t, n, o.tasks)
		}
	})
}
