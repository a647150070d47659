package worker

import (
	"context"
	"path"
	"slices"

	"github.com/deedrun/deed/internal/tracing"
	"github.com/deedrun/deed/task"
)

// A message that carries a trace has a span for its time on the queue, below it
// one for each task that is executed, and below the first of those in a report
// one for that, to which the others are linked. What carries none makes none.

// linkedTraces bounds what one report is linked to.
const linkedTraces = 32

// traceReceived makes the span of the time that a message was on the queue, by
// the clock of that and the one here.
func (w *Worker) traceReceived(h *holding) {
	if tracing.ID(h.delivery.Trace) == "" {
		return
	}
	sent := h.delivery.Sent
	if sent.IsZero() || sent.After(h.since) {
		sent = h.since
	}
	ctx, span := w.tracer.Start(tracing.In(context.Background(), h.delivery.Trace), "queue "+h.work.Address, tracing.Beginning{
		Kind: tracing.Consumer, At: sent, Attrs: append(w.about(h.work), tracing.Text("tasks", h.tasks.String())),
	})
	if h.delivery.Count > 1 {
		span.Fail("it was handed over again: whoever had it is presumed dead, and it is not executed")
	}
	span.EndAt(h.since)
	h.trace = tracing.From(ctx)
}

// traceTask begins the span of a task, which is executed alone. Its context is
// what the handler sees.
func (w *Worker) traceTask(e *execution) tracing.Span {
	if e.trace == "" {
		return tracing.Span{}
	}
	ctx, span := w.tracer.Start(tracing.In(e.ctx, e.trace), "task "+e.work.Address, tracing.Beginning{
		At: e.began, Attrs: append(w.about(e.work), tracing.Number("index", e.todo[0].First), tracing.Text("handler", runs(e.work.Run))),
	})
	e.ctx, e.span = ctx, tracing.From(ctx)
	return span
}

// traceEnded ends the span of a task.
func (w *Worker) traceEnded(span tracing.Span, r task.Result) {
	span.Set(tracing.Text("outcome", string(r.Outcome)), tracing.Number("parts", len(r.Parts)))
	for _, origin := range r.Origins {
		span.Set(tracing.Text("origin", origin.Attempt.String()))
	}
	if f := r.Failure; f != nil {
		span.Set(tracing.Text("verdict", string(f.Verdict)))
		if f.Element != "" {
			span.Set(tracing.Text("element", f.Element))
		}
		span.Fail(f.Error)
	}
	span.EndAt(w.opt.Now())
}

// traceReport begins the span of a report, which ends when that is stored.
func (w *Worker) traceReport(o *outgoing) {
	var traces []string
	for _, r := range o.bundle.results {
		if r.trace != "" && len(traces) <= linkedTraces && !slices.Contains(traces, r.trace) {
			traces = append(traces, r.trace)
		}
	}
	if len(traces) == 0 {
		return
	}
	ctx, span := w.tracer.Start(tracing.In(context.Background(), traces[0]), "report", tracing.Beginning{
		Kind: tracing.Producer, At: w.opt.Now(), Links: traces[1:], Attrs: []tracing.Attr{
			tracing.Text("process", o.process), tracing.Text("worker", w.opt.Name), tracing.Number("results", len(o.bundle.results)),
		},
	})
	o.trace, o.span = tracing.From(ctx), span
}

func (w *Worker) about(work *task.Work) []tracing.Attr {
	return []tracing.Attr{
		tracing.Text("process", work.Process), tracing.Text("address", work.Address), tracing.Number("generation", work.Generation),
		tracing.Number("attempt", work.Attempt), tracing.Text("worker", w.opt.Name),
	}
}

// runs names what executes a task, without the arguments of a program.
func runs(r task.Run) string {
	switch {
	case r.Handler != "":
		return r.Handler
	case len(r.Command) > 0:
		return path.Base(r.Command[0])
	}
	return "sh"
}
