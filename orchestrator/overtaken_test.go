package orchestrator

import (
	"context"
	"fmt"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/deedrun/deed/events"
	memevents "github.com/deedrun/deed/events/mem"
	"github.com/deedrun/deed/orchestrator/definition"
	"github.com/deedrun/deed/orchestrator/process"
	"github.com/deedrun/deed/queue"
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
	r := begun(t, fanOut(), 2)
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

// counted is a queue that counts how often it is asked what is pending.
type counted struct {
	queue.Queue
	asked int
}

func (c *counted) Pending(ctx context.Context, key string) (int, error) {
	c.asked++
	return c.Queue.Pending(ctx, key)
}

func TestTheQueueIsNotAskedAboutProcessesWhoseTasksAreAllHeld(t *testing.T) {
	r := newRig(t)
	work := &counted{Queue: r.work}
	r.options.Work = work
	r.restart()
	var holding []task.Hold
	for i := range 20 {
		id := fmt.Sprintf("p%d", i)
		r.send(id, fanOut(), 1)
		holding = append(holding, task.Hold{Process: id, Address: "work", Attempt: 1, Tasks: task.Of(0)})
	}
	r.step()
	r.received()
	for range 30 {
		r.pass(time.Second)
		r.beat(task.Heartbeat{Worker: "w1", Holding: holding})
		r.step()
	}
	require.Zero(t, work.asked)
}

func TestWhatIsKeptForTheFeederOfAProcessEndsWithIt(t *testing.T) {
	r := begun(t, fanOut(), 1)
	r.received()
	r.report("p", done(task.Of(0)))
	r.step()
	for _, id := range []string{"p", "never-started"} {
		for _, outcome := range []task.Outcome{task.Returned, task.Unserved} {
			r.report(id, task.Result{Address: "work", Attempt: 1, Tasks: task.Of(0), Outcome: outcome})
		}
	}
	r.step()
	r.pass(nowhere)
	r.step()
	require.Empty(t, r.owner.feeder.feeds)
	require.Empty(t, r.received())
}

// appends counts the commits that are stored.
type appends struct {
	events.Driver
	n int
}

func (a *appends) Append(ctx context.Context, stream string, expected events.Expected, c events.Commit) (uint64, error) {
	a.n++
	return a.Driver.Append(ctx, stream, expected, c)
}

func TestRetriesOfAProcessThatAreDueTogetherAreOneCommit(t *testing.T) {
	r := newRig(t)
	disk := &appends{Driver: memevents.New()}
	r.on(disk)
	r.send("p", fanOut(), 50)
	r.step()
	r.received()
	for i := range 50 {
		r.report("p", task.Result{
			Address: "work", Attempt: 1, Tasks: task.Of(i), Outcome: task.Failed,
			Failure: &task.Failure{Error: "no", Verdict: task.Retry, After: task.Duration(i+1) * task.Duration(time.Second)},
		})
	}
	r.step()
	disk.n = 0
	r.pass(time.Hour)
	r.beat(task.Heartbeat{Worker: "w1", Slots: 50})
	r.step()
	require.Equal(t, 1, disk.n)
	require.Equal(t, task.Span(0, 50), indexes(r.received()))
}

func TestAttemptsOfAProcessThatRunTooLongAreGivenUpInOneCommit(t *testing.T) {
	r := newRig(t)
	disk := &appends{Driver: memevents.New()}
	r.on(disk)
	r.send("p", fanOut(func(s *definition.Step) { s.Timeout = task.Duration(time.Minute) }), 50)
	r.step()
	r.received()
	hold := task.Hold{Process: "p", Address: "work", Attempt: 1, Tasks: task.Span(0, 50)}
	for i := range 50 {
		hold.Running = append(hold.Running, task.Running{Index: i, Elapsed: task.Duration(time.Hour)})
	}
	r.beat(task.Heartbeat{Worker: "w1", Holding: []task.Hold{hold}})
	disk.n = 0
	r.pass(time.Second)
	r.step()
	require.Equal(t, 1, disk.n)
	require.Equal(t, 50, r.state("p").Steps()[0].Failures)
}
