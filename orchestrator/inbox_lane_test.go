package orchestrator

import (
	"encoding/json"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/deedrun/deed/orchestrator/process"
	"github.com/deedrun/deed/queue"
	"github.com/deedrun/deed/task"
)

func (r *rig) putInLane(lane, id string, e task.Envelope) {
	r.t.Helper()
	body, err := json.Marshal(e)
	require.NoError(r.t, err)
	require.NoError(r.t, r.inbox.Send(r.ctx, queue.Message{Lane: lane, Key: id, Body: body}))
}

func (r *rig) quarantined() (all []task.Quarantined) {
	r.t.Helper()
	bad, err := r.bad.Receive(r.ctx, 100, 0)
	require.NoError(r.t, err)
	for _, d := range bad {
		var q task.Quarantined
		require.NoError(r.t, json.Unmarshal(d.Body, &q))
		all = append(all, q)
	}
	return all
}

func TestACommandAmongReportsIsPutIntoQuarantineAndNeitherCarriedOutNorAnswered(t *testing.T) {
	r := newRig(t)
	start, err := process.EncodeCommand(startOf("p", fanOut(), ones(0)))
	require.NoError(t, err)
	cancels, err := r.signals.Subscribe(task.TopicCancel)
	require.NoError(t, err)
	defer cancels.Stop()

	r.putInLane(queue.Reports, "p", task.Envelope{Command: start, ReplyTo: task.TopicCancel})
	r.putInLane(queue.Reports, "p", task.Envelope{Command: start, Report: &task.Report{Process: "p", Worker: "w"}})
	r.putInLane("other", "p", task.Envelope{Command: start})
	r.putInLane("", "p", task.Envelope{Command: start, Report: &task.Report{Process: "p", Worker: "w"}})
	r.step()

	bad := r.quarantined()
	require.Len(t, bad, 4)
	require.Equal(t, queue.Reports, bad[0].Lane, "sent again it is no command either")
	require.Contains(t, bad[0].Reason, `a command came by the lane "report"`)
	require.Contains(t, bad[1].Reason, `a command came by the lane "report"`)
	require.Contains(t, bad[2].Reason, `a command came by the lane "other"`)
	require.Contains(t, bad[3].Reason, "both a report and a command")
	require.Zero(t, r.state("p").Version, "nothing was started")
	require.Empty(t, cancels.C(), "nobody may name a topic of his own for an answer")
}

func TestAReportCountsByTheLaneForReportsAndAsAnEarlierVersionSendsIt(t *testing.T) {
	r := begun(t, fanOut(), 3)
	report := func(index int) task.Envelope {
		return task.Envelope{Report: &task.Report{Process: "p", Worker: "w1", Results: []task.Result{done(task.Of(index))}}}
	}
	r.putInLane(queue.Reports, "p", report(0))
	r.putInLane("", "p", report(1))
	r.putInLane(queue.Reports, "p", report(2))
	r.step()
	require.Equal(t, process.Completed, r.state("p").Status)
	require.Empty(t, r.quarantined())
}
