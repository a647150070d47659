package orchestrator

import (
	"context"
	"slices"
	"time"

	"github.com/deedrun/deed/internal/tracing"
	"github.com/deedrun/deed/orchestrator/process"
)

// All of a process belongs to the one trace that its first event names, so that
// it goes on after a restart. What follows from being submitted hangs on that
// span: one schedule a decision and step, from which tasks go their way by queue
// and worker and come back; one span a decision that says something; one for
// each step and for the process when they have ended.
//
// tracedTasks bounds that: of a step the first ones carry the trace, and all that
// are executed again. A decision on tasks that do not, and of which nothing
// follows but the next tasks, is none that says something.
const tracedTasks = 100

// carriesTrace reports whether some of these tasks carry the trace.
func carriesTrace(e process.Enqueue) bool {
	return e.Attempt > 1 || len(e.Tasks) > 0 && e.Tasks[0].First < tracedTasks
}

// traceScheduled makes the span that tasks to be sent hang on, and returns where
// they do: there, or, where no spans are made, where the process does.
func (o *Owner) traceScheduled(s *process.State, e process.Enqueue) string {
	if !carriesTrace(e) || tracing.ID(s.Trace) == "" {
		return ""
	}
	ctx, span := o.Tracer.Start(tracing.In(context.Background(), s.Trace), "schedule "+e.Address, tracing.Beginning{
		Kind: tracing.Producer, Attrs: append(aboutTasks(e.Address, e.Generation, e.Attempt, e.Tasks), tracing.Text("process", s.ID)),
	})
	span.End()
	return tracing.From(ctx)
}

// messageTrace is what the message of tasks carries. What is sent again knows no
// schedule that it hangs on.
func (q queued) messageTrace(s *process.State) string {
	switch {
	case s.Trace == "" || !carriesTrace(q.Enqueue):
		return ""
	case q.trace == "" && tracing.ID(s.Trace) != "":
		return s.Trace
	}
	return q.trace
}

// traceDecided makes the spans of what was decided on, and stored, since a time.
func (o *Owner) traceDecided(began time.Time, s *process.State, requests []*request, refused map[*request]error) {
	if !o.Tracer.On() || tracing.ID(s.Trace) == "" {
		return
	}
	for _, r := range requests {
		o.traceRequest(began, s, r, refused[r])
		for _, e := range r.decided {
			o.traceEnd(s, e)
		}
	}
}

func (o *Owner) traceRequest(began time.Time, s *process.State, r *request, refused error) {
	came := ""
	if r.delivery != nil {
		came = r.delivery.Trace
	}
	if came == "" && !saysSomething(r) {
		return
	}
	name, about, failed := described(r.command)
	parent, links := came, []string(nil)
	if !tracing.Same(came, s.Trace) { // of a person's request, or none
		parent, links = s.Trace, []string{came}
	}
	_, span := o.Tracer.Start(tracing.In(context.Background(), parent), name, tracing.Beginning{
		Kind: tracing.Consumer, At: began, Links: links,
		Attrs: append(about, tracing.Text("process", s.ID), tracing.Number("events", len(r.decided)), tracing.Number("version", int(s.Version))),
	})
	defer span.End()
	for _, e := range r.decided[:min(len(r.decided), tracedEvents)] {
		if kind := plainly(e); kind != "" {
			span.Event(kind, tracing.Text("what", e.String()))
		}
	}
	switch {
	case refused != nil:
		span.Fail(refused.Error())
	case failed != "" && len(r.decided) > 0:
		span.Fail(failed)
	}
}

// tracedEvents bounds what a span says of what followed.
const tracedEvents = 16

// saysSomething reports whether more followed from a request than that tasks
// are confirmed, and the next ones scheduled.
func saysSomething(r *request) bool {
	return slices.ContainsFunc(r.decided, func(e process.Event) bool {
		switch e := e.(type) {
		case process.TasksConfirmed:
			return false
		case process.TasksScheduled:
			return carriesTrace(process.Enqueue{Attempt: e.Attempt, Tasks: e.Tasks})
		}
		return true
	})
}

// traceEnd makes the span of a step or process that has ended, over all the time
// that it took.
func (o *Owner) traceEnd(s *process.State, e process.Event) {
	switch e := e.(type) {
	case process.StepCompleted:
		o.traceStep(s, e)
	case process.ProcessCompleted:
		o.traceProcess(s, "process completed", "", e.At)
	case process.ProcessFailed:
		o.traceProcess(s, "process failed", e.Reason, e.At)
	case process.ProcessCancelled:
		o.traceProcess(s, "process cancelled", e.String(), e.At)
	}
}

func (o *Owner) traceProcess(s *process.State, name, failed string, ended time.Time) {
	_, span := o.Tracer.Start(tracing.In(context.Background(), s.Trace), name, tracing.Beginning{At: s.StartedAt, Attrs: []tracing.Attr{
		tracing.Text("process", s.ID), tracing.Text("definition", s.Definition.Name), tracing.Number("version", int(s.Version)),
	}})
	if failed != "" {
		span.Fail(failed)
	}
	span.EndAt(ended)
}

func (o *Owner) traceStep(s *process.State, e process.StepCompleted) {
	for _, step := range s.Steps() {
		if step.Address != e.Address || step.StartedAt.IsZero() {
			continue
		}
		_, span := o.Tracer.Start(tracing.In(context.Background(), s.Trace), "step "+e.Address, tracing.Beginning{At: step.StartedAt, Attrs: []tracing.Attr{
			tracing.Text("process", s.ID), tracing.Text("address", e.Address), tracing.Number("generation", e.Generation),
			tracing.Number("tasks", step.Tasks), tracing.Number("skipped", step.Skipped), tracing.Number("failures", step.Failures),
		}})
		span.EndAt(e.At)
	}
}
