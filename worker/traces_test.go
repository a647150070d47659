package worker

import (
	"context"
	"encoding/json"
	"errors"
	"os"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"go.opentelemetry.io/otel/codes"
	sdk "go.opentelemetry.io/otel/sdk/trace"
	"go.opentelemetry.io/otel/sdk/trace/tracetest"
	"go.opentelemetry.io/otel/trace"

	"github.com/deedrun/deed/internal/tracing"
	"github.com/deedrun/deed/queue"
	"github.com/deedrun/deed/task"
)

const (
	scheduled = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01"
	scheduler = "b7ad6b7169203331"
)

// traced is a rig with a worker whose spans are recorded.
func traced(t *testing.T) (*rig, *Worker, *tracetest.SpanRecorder) {
	r, recorder := newRig(t), tracetest.NewSpanRecorder()
	return r, r.worker(func(o *Options) { o.Tracer = sdk.NewTracerProvider(sdk.WithSpanProcessor(recorder)) }), recorder
}

func (r *rig) sendIn(trace string, w task.Work) {
	r.t.Helper()
	body, err := json.Marshal(w)
	require.NoError(r.t, err)
	require.NoError(r.t, r.work.Send(r.t.Context(), queue.Message{Key: w.Process, Body: body, Trace: trace}))
}

// reports takes what was reported: the trace that each message carries.
func (r *rig) reports() (traces []string) {
	r.t.Helper()
	deliveries, err := r.inbox.Receive(r.t.Context(), 100, 0)
	require.NoError(r.t, err)
	require.NoError(r.t, r.inbox.Ack(r.t.Context(), deliveries...))
	for _, d := range deliveries {
		traces = append(traces, d.Trace)
	}
	return traces
}

func only(t *testing.T, recorder *tracetest.SpanRecorder, name string) sdk.ReadOnlySpan {
	t.Helper()
	var found []sdk.ReadOnlySpan
	for _, s := range recorder.Ended() {
		if s.Name() == name {
			found = append(found, s)
		}
	}
	require.Len(t, found, 1, name)
	return found[0]
}

func below(t *testing.T, parent, child sdk.ReadOnlySpan) {
	t.Helper()
	require.Equal(t, parent.SpanContext().SpanID(), child.Parent().SpanID(), "%s is not below %s", child.Name(), parent.Name())
}

func TestATaskIsBelowItsTimeOnTheQueueAndItsReportBelowIt(t *testing.T) {
	r, w, recorder := traced(t)
	var seen trace.SpanContext
	Handle(r.reg, "see", func(ctx context.Context, _ *Task) error {
		seen = trace.SpanContextFromContext(ctx)
		return nil
	})
	r.sendIn(scheduled, message(handler("see")))
	r.now = r.now.Add(3 * time.Second)
	r.step(w)

	waited, executed, report := only(t, recorder, "queue step"), only(t, recorder, "task step"), only(t, recorder, "report")
	require.Equal(t, scheduler, waited.Parent().SpanID().String())
	require.GreaterOrEqual(t, waited.EndTime().Sub(waited.StartTime()), 3*time.Second, "from when it was sent")
	below(t, waited, executed)
	below(t, executed, report)
	require.Equal(t, executed.SpanContext().SpanID(), seen.SpanID(), "a handler is in the span of its task")
	require.Subset(t, executed.Attributes(), []tracing.Attr{
		tracing.Text("process", "p"), tracing.Text("address", "step"), tracing.Number("index", 0), tracing.Number("attempt", 1),
		tracing.Number("generation", 0), tracing.Text("worker", "w1"), tracing.Text("handler", "see"), tracing.Text("outcome", "done"),
	})
	got := r.reports()
	require.Len(t, got, 1)
	require.Equal(t, report.SpanContext().SpanID().String(), got[0][36:52])
}

func TestAProgramKnowsTheSpanOfItsTask(t *testing.T) {
	r, w, recorder := traced(t)
	r.sendIn(scheduled, message(task.Run{Shell: `printf %s "$TRACEPARENT" > "$DEED_OUT/out"`}))
	r.step(w)
	results := r.results()
	require.Len(t, results, 1)
	executed := only(t, recorder, "task step")
	require.Equal(t, []string{"/: 00-0af7651916cd43dd8448eb211c80319c-" + executed.SpanContext().SpanID().String() + "-01"}, r.written(results[0]))
	if _, there := os.LookupEnv("TRACEPARENT"); there {
		t.Fatal("the test itself must not be in a trace")
	}
}

func TestAFailureAndARedeliveryAreErrorsInTheTrace(t *testing.T) {
	r, w, recorder := traced(t)
	Handle(r.reg, "fail", func(context.Context, *Task) error { return errors.New("no luck") })
	r.sendIn(scheduled, message(handler("fail")))
	r.step(w)
	failed := only(t, recorder, "task step")
	require.Equal(t, codes.Error, failed.Status().Code)
	require.Equal(t, "no luck", failed.Status().Description)

	recorder.Reset()
	r.reports()
	again := message(handler("fail"))
	r.sendIn(scheduled, again)
	_, err := r.work.Receive(t.Context(), 1, 0) // by a worker that dies
	require.NoError(t, err)
	r.now = r.now.Add(r.work.Lease() + time.Second)
	r.step(w)
	require.Equal(t, codes.Error, only(t, recorder, "queue step").Status().Code)
	below(t, only(t, recorder, "queue step"), only(t, recorder, "report"))
}

func TestTasksThatAreReportedTogetherAreLinkedToTheReport(t *testing.T) {
	r, _, recorder := traced(t)
	w := r.worker(func(o *Options) { o.Tracer = sdk.NewTracerProvider(sdk.WithSpanProcessor(recorder)) })
	var results []result
	for range 100 {
		ctx, _ := w.tracer.Start(tracing.In(t.Context(), scheduled), "task", tracing.Beginning{})
		results = append(results, result{trace: tracing.From(ctx)})
	}
	o := outgoing{bundle: &bundle{process: "p", results: append(results, result{}, results[0])}}
	w.traceReport(&o)
	o.span.End()
	report := only(t, recorder, "report")
	require.Equal(t, results[0].trace[36:52], report.Parent().SpanID().String())
	require.Len(t, report.Links(), linkedTraces)
}

func TestAWorkerWithoutATracerPassesTheTraceOn(t *testing.T) {
	r := newRig(t)
	r.sendIn(scheduled, message(task.Run{Shell: `printf %s "$TRACEPARENT" > "$DEED_OUT/out"`}))
	r.step(r.worker())
	require.Equal(t, []string{scheduled}, r.reports())
}

func TestAMessageOfNoTraceMakesNoSpan(t *testing.T) {
	r, w, recorder := traced(t)
	r.sendIn("", message(task.Run{Shell: `test -z "${TRACEPARENT+set}"`}))
	r.sendIn("no trace at all", message(task.Run{Shell: `test -z "${TRACEPARENT+set}"`}))
	r.step(w)
	require.Len(t, r.results(), 2)
	require.Empty(t, w.out.reports)
	for _, s := range recorder.Ended() {
		require.Failf(t, "a span", "%s", s.Name())
	}
}
