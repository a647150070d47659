package orchestrator

import (
	"context"
	"encoding/json"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"go.opentelemetry.io/otel/codes"
	sdk "go.opentelemetry.io/otel/sdk/trace"
	"go.opentelemetry.io/otel/sdk/trace/tracetest"

	"github.com/deedrun/deed/internal/tracing"
	"github.com/deedrun/deed/orchestrator/definition"
	"github.com/deedrun/deed/orchestrator/process"
	"github.com/deedrun/deed/queue"
	"github.com/deedrun/deed/task"
)

const (
	submitted    = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01"
	submitter    = "b7ad6b7169203331"
	anotherTrace = "00-11111111111111111111111111111111-2222222222222222-01"
)

// tracedRig is a rig whose spans are recorded.
func tracedRig(t *testing.T) (*rig, *tracetest.SpanRecorder) {
	r, recorder := newRig(t), tracetest.NewSpanRecorder()
	r.options.Tracer = tracing.New(sdk.NewTracerProvider(sdk.WithSpanProcessor(recorder)))
	r.restart()
	r.beat(task.Heartbeat{Worker: "w1", Slots: 8})
	return r, recorder
}

// start starts a process of the trace that was submitted in.
func (r *rig) start(id, trace string, parts int) {
	r.t.Helper()
	start := startOf(id, fanOut(), ones(parts))
	start.Trace = trace
	r.askIn(id, trace, start)
}

func (r *rig) askIn(id, trace string, c process.Command) {
	r.t.Helper()
	message, err := commandMessage(id, c, "reply.nobody")
	require.NoError(r.t, err)
	message.Trace = trace
	require.NoError(r.t, r.inbox.Send(r.ctx, message))
	r.step()
}

// reportIn reports in a trace.
func (r *rig) reportIn(trace, id string, results ...task.Result) {
	r.t.Helper()
	body, err := json.Marshal(task.Envelope{Report: &task.Report{Process: id, Worker: "w1", Results: results}})
	require.NoError(r.t, err)
	require.NoError(r.t, r.inbox.Send(r.ctx, queue.Message{Lane: queue.Reports, Key: id, Body: body, Trace: trace}))
	r.step()
}

// traces takes what is on the work queue: the traces that the messages carry, by task.
func (r *rig) traces() map[int]string {
	r.t.Helper()
	r.step()
	deliveries, err := r.work.Receive(r.ctx, 100_000, 0)
	require.NoError(r.t, err)
	require.NoError(r.t, r.work.Ack(r.ctx, deliveries...))
	traces := map[int]string{}
	for _, d := range deliveries {
		var w task.Work
		require.NoError(r.t, json.Unmarshal(d.Body, &w))
		for i := range w.Tasks.All() {
			traces[i] = d.Trace
		}
	}
	return traces
}

// spans are the spans of a name.
func spans(recorder *tracetest.SpanRecorder, name string) (found []sdk.ReadOnlySpan) {
	for _, s := range recorder.Ended() {
		if s.Name() == name {
			found = append(found, s)
		}
	}
	return found
}

func TestTheFirstTasksOfAStepCarryTheTraceAndNoOthers(t *testing.T) {
	r, recorder := tracedRig(t)
	r.start("p", submitted, tracedTasks+50)
	carried := map[int]string{}
	for len(carried) < tracedTasks+50 {
		got := r.traces()
		require.NotEmpty(t, got)
		for i, trace := range got {
			carried[i] = trace
			r.reportIn(trace, "p", done(task.Span(i, 1)))
		}
	}
	schedules := spans(recorder, "schedule work")
	require.Len(t, schedules, 1)
	require.Equal(t, submitter, schedules[0].Parent().SpanID().String())
	for i, trace := range carried {
		if i >= tracedTasks {
			require.Empty(t, trace, "task %d", i)
			continue
		}
		require.Equal(t, schedules[0].SpanContext().SpanID().String(), spanOf(trace), "task %d", i)
	}
	require.Equal(t, process.Completed, r.state("p").Status)
	require.Less(t, len(recorder.Ended()), tracedTasks+10, "what is not traced makes no spans")
	require.Len(t, spans(recorder, "process completed"), 1)
}

func spanOf(traceparent string) string { return traceparent[36:52] }

func TestAProcessThatIsInNoTraceMakesNoSpans(t *testing.T) {
	r, recorder := tracedRig(t)
	r.start("p", "", 3)
	for i, trace := range r.traces() {
		require.Empty(t, trace)
		r.reportIn("", "p", done(task.Span(i, 1)))
	}
	require.Equal(t, process.Completed, r.state("p").Status)
	require.Empty(t, recorder.Ended())
}

func TestAnOrchestratorWithoutATracerPassesTheTraceOn(t *testing.T) {
	r := newRig(t)
	r.beat(task.Heartbeat{Worker: "w1", Slots: 8})
	r.start("p", submitted, 1)
	require.Equal(t, map[int]string{0: submitted}, r.traces())
}

func TestATraceGoesOnInTheNextOrchestrator(t *testing.T) {
	r, recorder := tracedRig(t)
	r.start("p", submitted, 1)
	require.Len(t, r.traces(), 1)
	r.restart()
	r.beat(task.Heartbeat{Worker: "w1", Slots: 8})
	var again map[int]string
	for range 3 { // it is sent again once workers have said what they hold
		r.pass(rollCall)
		if got := r.traces(); len(got) > 0 {
			again = got
		}
	}
	schedules := spans(recorder, "schedule work")
	require.Len(t, schedules, 2)
	require.Equal(t, submitter, schedules[1].Parent().SpanID().String())
	require.Equal(t, schedules[1].SpanContext().SpanID().String(), spanOf(again[0]))
}

func TestAFailureAndItsRetryAreSpansOfTheTrace(t *testing.T) {
	r, recorder := tracedRig(t)
	r.start("p", submitted, tracedTasks+1)
	late := tracedTasks // a task that carries nothing
	for trace := "x"; trace != ""; {
		got := r.traces()
		require.NotEmpty(t, got)
		for i, carried := range got {
			if i == late {
				trace = carried
				continue
			}
			r.reportIn("", "p", done(task.Span(i, 1)))
		}
	}
	r.reportIn("", "p", task.Result{
		Address: "work", Attempt: 1, Tasks: task.Span(late, 1), Outcome: task.Failed, Failure: &task.Failure{Error: "no luck", Verdict: task.Retry},
	})
	fail := spans(recorder, "fail work")
	require.Len(t, fail, 1)
	require.Equal(t, codes.Error, fail[0].Status().Code)
	require.Equal(t, "no luck", fail[0].Status().Description)
	require.Equal(t, submitter, fail[0].Parent().SpanID().String(), "it hangs on the process: its message carried nothing")
	require.Equal(t, "retry planned", fail[0].Events()[0].Name)

	r.pass(2 * time.Minute)
	r.beat(task.Heartbeat{Worker: "w1", Slots: 8})
	r.step()
	require.Len(t, spans(recorder, "retry work"), 1)
	second := r.traces()[late]
	require.NotEmpty(t, second, "a second attempt carries the trace, whichever task it is of")

	r.reportIn(second, "p", task.Result{Address: "work", Attempt: 2, Tasks: task.Span(late, 1), Outcome: task.Lost})
	lost := spans(recorder, "lose work")
	require.Len(t, lost, 1)
	require.Equal(t, codes.Error, lost[0].Status().Code)
	require.Equal(t, spanOf(second), lost[0].Parent().SpanID().String())
}

func TestWhatAPersonAsksForLinksToTheirTraceAndIsInThatOfTheProcess(t *testing.T) {
	r, recorder := tracedRig(t)
	r.start("p", submitted, 1)
	r.askIn("p", anotherTrace, process.CancelProcess{Asked: process.Asked{By: "ada", Reason: "a mistake", Command: "c1"}})
	cancel := spans(recorder, "cancel")
	require.Len(t, cancel, 1)
	require.Equal(t, submitter, cancel[0].Parent().SpanID().String())
	require.Len(t, cancel[0].Links(), 1)
	require.Equal(t, "2222222222222222", cancel[0].Links()[0].SpanContext.SpanID().String())
	closing := spans(recorder, "process cancelled")
	require.Len(t, closing, 1)
	require.Equal(t, codes.Error, closing[0].Status().Code)
	require.Equal(t, r.now, closing[0].EndTime())
}

func TestAReportThatClaimsAnotherTraceStaysInThatOfItsProcess(t *testing.T) {
	r, recorder := tracedRig(t)
	r.start("p", submitted, 2)
	require.Len(t, r.traces(), 2)
	r.reportIn(anotherTrace, "p", done(task.Span(0, 1)))
	confirm := spans(recorder, "confirm work")
	require.Len(t, confirm, 1)
	require.Equal(t, submitter, confirm[0].Parent().SpanID().String())
}

// passedOn is a way to the orchestrator that notes in which trace it was gone.
type passedOn struct {
	Via
	command process.Command
	trace   string
}

func (p *passedOn) Send(ctx context.Context, _ string, c process.Command) (Answer, error) {
	p.command, p.trace = c, tracing.From(ctx)
	return Answer{}, nil
}

func TestWhoStartsAProcessGivesItTheTraceUnlessAServerIsAskedTo(t *testing.T) {
	recorder := tracetest.NewSpanRecorder()
	tracer := tracing.New(sdk.NewTracerProvider(sdk.WithSpanProcessor(recorder)))
	via := &passedOn{}
	afar := &Client{Via: via, Tracer: tracer}
	_, err := afar.Start(t.Context(), process.StartProcess{ID: "p", Definition: definition.Definition{Name: "d"}})
	require.NoError(t, err)
	require.Equal(t, recorder.Ended()[0].SpanContext().SpanID().String(), spanOf(via.trace))
	require.Empty(t, via.command.(process.StartProcess).Trace)

	r := newRig(t)
	near := &Client{Events: r.store, Inbox: r.inbox, Signals: r.signals, Tracer: tracer}
	ctx, cancel := context.WithCancel(t.Context())
	over := make(chan struct{})
	go func() {
		defer close(over)
		_ = r.owner.Run(ctx) // until it is cancelled
	}()
	_, err = near.Start(ctx, process.StartProcess{ID: "p", Definition: fanOut(), Inputs: map[string]task.Dataset{"in": {}}})
	cancel()
	<-over
	require.NoError(t, err)
	require.Equal(t, recorder.Ended()[1].SpanContext().SpanID().String(), spanOf(r.state("p").Trace))
}

func TestWhatWasDecidedBeforeAConflictIsInNoTraceIfItIsRefusedAfterwards(t *testing.T) {
	r, recorder := tracedRig(t)
	r.start("p", submitted, 1)
	other := r.newOwner()
	defer other.Close()
	_, err := other.Step(r.ctx, r.now)
	require.NoError(t, err)
	body, err := json.Marshal(task.Envelope{Report: &task.Report{Process: "p", Worker: "w1", Results: []task.Result{done(task.Span(0, 1))}}})
	require.NoError(t, err)
	require.NoError(t, r.inbox.Send(r.ctx, queue.Message{Lane: queue.Reports, Key: "p", Body: body}))
	_, err = other.Step(r.ctx, r.now)
	require.NoError(t, err)
	require.Len(t, spans(recorder, "process completed"), 1)

	r.askIn("p", "", process.CancelProcess{}) // by the first one, which has not seen that
	require.Equal(t, process.Completed, r.state("p").Status)
	require.Empty(t, spans(recorder, "process cancelled"))
	for _, s := range spans(recorder, "cancel") {
		require.Equal(t, codes.Error, s.Status().Code)
	}
}
