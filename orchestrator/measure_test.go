package orchestrator

import (
	"context"
	"errors"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/deedrun/deed/events"
	memevents "github.com/deedrun/deed/events/mem"
	"github.com/deedrun/deed/internal/metrics"
	"github.com/deedrun/deed/internal/metrics/metricstest"
	"github.com/deedrun/deed/orchestrator/definition"
	"github.com/deedrun/deed/orchestrator/process"
	"github.com/deedrun/deed/queue"
	"github.com/deedrun/deed/task"
)

// measured is a rig whose orchestrators measure.
func measured(t *testing.T) (*rig, func() map[string]int) {
	r, m := newRig(t), metrics.New("test")
	r.options.Metrics = m.Orchestrator()
	r.restart()
	return r, func() map[string]int { return metricstest.Read(m) }
}

func TestWhatHappensToTasksIsCountedOnceEachHoweverOftenItIsReported(t *testing.T) {
	r, told := measured(t)
	r.send("p", fanOut(), 6)
	r.step()
	r.received()
	twice := done(task.Span(0, 2))
	broken := failed(task.Span(2, 1), "no", task.Retry)
	lost := task.Result{Address: "work", Attempt: 1, Tasks: task.Span(3, 1), Outcome: task.Lost}
	returned := task.Result{Address: "work", Attempt: 1, Tasks: task.Span(4, 1), Outcome: task.Returned}
	late := failed(task.Span(5, 1), "too long", task.TimedOut)
	r.report("p", twice, broken, lost, returned, late)
	r.report("p", twice)
	r.step()

	m := told()
	for event, n := range map[string]int{"scheduled": 7, "confirmed": 2, "failed": 1, "lost": 1, "returned": 1, "timed_out": 1, "skipped": 0, "resent": 0} {
		require.Equal(t, n, m[`deed_tasks_total{event="`+event+`"}`], event)
	}
	require.Equal(t, 2, m["deed_late_results_total"])
	require.Equal(t, 2, m[`deed_inbox_messages_total{kind="report"}`])
	require.Equal(t, 1, m[`deed_inbox_messages_total{kind="command"}`])
	require.Equal(t, m["deed_commits_total"], m["deed_append_duration_seconds_count"])
	require.Equal(t, int(r.state("p").Version), m["deed_commit_events_sum"], "every event is in a commit")
}

func TestChangesOfStatusAreCountedAndHowLongProcessesAndStepsTook(t *testing.T) {
	r, told := measured(t)
	r.send("p", fanOut(), 1)
	r.step()
	ask := func(c process.Command) {
		r.give("p", c, "")
		r.step()
	}
	ask(process.PauseProcess{})
	ask(process.ResumeProcess{})
	r.pass(90 * time.Second)
	r.report("p", done(task.Span(0, 1)))
	r.step()
	ask(process.RestartFrom{Asked: process.Asked{Command: "again"}, Address: "work"})

	m := told()
	require.Equal(t, 3, m[`deed_process_transitions_total{to="running"}`], "it started, was resumed, and began again")
	require.Equal(t, 1, m[`deed_process_transitions_total{to="paused"}`])
	require.Equal(t, 1, m[`deed_process_transitions_total{to="completed"}`])
	require.Equal(t, 90, m[`deed_process_duration_seconds_sum{outcome="completed"}`])
	require.Equal(t, 90, m["deed_step_duration_seconds_sum"])
	require.Zero(t, m[`deed_process_transitions_total{to="failed"}`])
}

func TestAMadeUpMessageIsCountedAsUnusableAndAsQuarantined(t *testing.T) {
	r, told := measured(t)
	require.NoError(t, r.inbox.Send(r.ctx, queue.Message{Key: "p", Body: []byte("?")}))
	r.step()
	require.Equal(t, 1, told()[`deed_inbox_messages_total{kind="unusable"}`])
	require.Equal(t, 1, told()["deed_quarantined_total"])
}

func TestWhoeverScrapesSeesWhereTasksAreAndWhoIsThereToDoThem(t *testing.T) {
	r, told := measured(t)
	r.beat(task.Heartbeat{Worker: "w1", Slots: 2})
	r.beat(task.Heartbeat{Worker: "w2", Slots: 3, Draining: true})
	r.send("p", fanOut(), 100)
	r.send("gpu", fanOut(func(s *definition.Step) { s.Pool = "gpu" }), 3)
	r.send("strange", fanOut(func(s *definition.Step) { s.Run.Handler = "nobody/has" }), 7)
	r.step()
	r.beat(task.Heartbeat{Worker: "w1", Slots: 2, Holding: []task.Hold{
		{Process: "p", Address: "work", Attempt: 1, Tasks: task.Span(0, 2), Running: []task.Running{{Index: 0}}},
	}})
	r.pass(time.Second)
	r.step()

	m := told()
	out := m[`deed_queue_tasks{place="queued",pool="default"}`]
	require.Equal(t, 1, m[`deed_queue_tasks{place="running",pool="default"}`])
	require.Equal(t, 99, out+m[`deed_queue_tasks{place="waiting",pool="default"}`])
	require.Positive(t, out)
	require.Equal(t, 7, m[`deed_queue_tasks{place="unserved",pool="default"}`])
	require.Equal(t, 3, m[`deed_queue_tasks{place="queued",pool="gpu"}`])
	require.Equal(t, 2, m[`deed_workers{pool="default"}`])
	require.Equal(t, 1, m[`deed_workers_draining{pool="default"}`])
	require.Equal(t, 5, m[`deed_pool_slots{pool="default"}`])
	require.Positive(t, m[`deed_pool_backlog_seconds{pool="gpu"}`])
	require.Equal(t, 3, m[`deed_processes{status="running"}`])
	require.Equal(t, queue.ShardCount, m["deed_shards_held"])
	require.Equal(t, 1, m["deed_replicas"])
	require.Positive(t, m["deed_orchestrator_last_step_timestamp_seconds"])
	require.Equal(t, m[`deed_tasks_total{event="sent"}`], out+1+3)

	r.pass(2 * lease)
	r.step()
	require.Equal(t, 2, told()["deed_workers_lost_total"], "both fell silent")
	require.Zero(t, told()[`deed_workers{pool="default"}`])

	r.owner.Close()
	require.NotContains(t, told(), "deed_shards_held", "an owner that has ended sees nothing")
}

func TestAProcessIsQuietWhileItHasNoEventAndNobodyExecutesATaskOfIt(t *testing.T) {
	r, told := measured(t)
	quiet := func() int {
		r.pass(time.Minute)
		r.step()
		return told()["deed_processes_quiet_seconds"]
	}
	r.send("p", fanOut(), 2)
	r.step()
	require.Equal(t, 60, quiet())
	require.Equal(t, 120, quiet())
	executing := func() {
		r.beat(task.Heartbeat{Worker: "w1", Slots: 1, Holding: []task.Hold{
			{Process: "p", Address: "work", Attempt: 1, Tasks: task.Span(0, 1), Running: []task.Running{{Index: 0}}},
		}})
	}
	executing()
	require.Zero(t, quiet(), "a worker executes a task: it may take as long as it likes")
	require.Equal(t, 60, quiet())
	r.report("p", task.Result{Address: "work", Attempt: 1, Tasks: task.Span(0, 1), Outcome: task.Failed, Failure: &task.Failure{
		Error: "busy", Verdict: task.Retry, After: task.Duration(time.Hour),
	}})
	require.Zero(t, quiet(), "something has happened")
	require.Zero(t, quiet(), "a retry is planned")
}

func TestAProcessThatStandsStillAndAConflictAreCounted(t *testing.T) {
	r, told := measured(t)
	r.send("p", fanOut(), 1)
	r.step()
	other := r.newOwner() // measures with the same instruments
	_, err := other.Step(r.ctx, r.now)
	require.NoError(t, err)
	r.report("p", task.Result{Address: "work", Attempt: 1, Tasks: task.Span(0, 1), Outcome: task.Lost})
	_, err = other.Step(r.ctx, r.now)
	require.NoError(t, err)
	defer other.Close()
	r.give("p", process.CancelProcess{}, "")
	r.step()
	require.Equal(t, 1, told()["deed_conflicts_total"])
	require.NoError(t, r.owner.standStill(r.ctx, "p", nil, errors.New("its history is damaged")))
	require.Equal(t, 1, told()["deed_processes_stuck_total"])
}

func TestAStepThatFailsIsCountedWhateverItFailedAt(t *testing.T) {
	r, told := measured(t)
	store := &flaky{Driver: memevents.New()}
	r.store = events.New(store)
	inbox := &unreceivable{Sharded: r.inbox}
	r.options.Events, r.options.Inbox = r.store, inbox
	r.send("p", fanOut(), 2) // so that it goes on
	r.restart()
	r.step()

	inbox.away = true
	r.stepFails(queue.ErrUnavailable)
	require.Equal(t, 1, told()["deed_orchestrator_step_failures_total"], "nothing could be received")
	inbox.away = false
	store.appends = 2 // an append is repeated once by itself
	r.report("p", done(task.Span(0, 1)))
	r.stepFails(events.ErrUnavailable)
	require.Equal(t, 2, told()["deed_orchestrator_step_failures_total"], "nothing could be stored")
	r.step()
	store.reads = 1
	r.restart()
	r.stepFails(events.ErrUnavailable)
	require.Equal(t, 3, told()["deed_orchestrator_step_failures_total"], "nothing could be taken over")
	r.step()
	require.Equal(t, 3, told()["deed_orchestrator_step_failures_total"])
}

// unreceivable is a queue from which nothing can be received while it is away.
type unreceivable struct {
	queue.Sharded
	away bool
}

func (u *unreceivable) Receive(ctx context.Context, most int, wait time.Duration) ([]queue.Delivery, error) {
	if u.away {
		return nil, queue.ErrUnavailable
	}
	return u.Sharded.Receive(ctx, most, wait)
}

func TestAReportThatIsNoneOfItsKindIsNoCommand(t *testing.T) {
	var all taken
	all.add([]*request{{command: process.FailTasks{}}})
	all.add(nil) // what was only handed back leads to no command
	all.add([]*request{{command: process.CancelProcess{}}})
	require.Equal(t, taken{reports: 2, commands: 1}, all)
}

func TestWhatComesOutOfTheInboxIsCountedOnceHoweverOftenItIsTried(t *testing.T) {
	r, told := measured(t)
	store := &flaky{Driver: memevents.New()}
	r.on(store)
	r.send("p", fanOut(), 2)
	r.step()
	r.received()
	store.appends = 4 // an append is repeated once by itself
	r.report("p", done(task.Span(0, 1)), task.Result{Address: "work", Attempt: 1, Tasks: task.Span(1, 1), Outcome: task.Returned})
	r.stepFails(events.ErrUnavailable)
	r.stepFails(events.ErrUnavailable)
	require.Zero(t, told()[`deed_inbox_messages_total{kind="report"}`])
	r.step()
	m := told()
	require.Equal(t, 1, m[`deed_inbox_messages_total{kind="report"}`])
	require.Equal(t, 1, m[`deed_inbox_messages_total{kind="command"}`])
	require.Equal(t, 1, m[`deed_tasks_total{event="returned"}`])
	require.Equal(t, 1, m[`deed_tasks_total{event="confirmed"}`])
}
