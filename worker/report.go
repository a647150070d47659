package worker

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/deedrun/deed/internal/tracing"
	"github.com/deedrun/deed/queue"
	"github.com/deedrun/deed/task"
)

// outbox is what is being reported. It belongs to whoever reports: the
// reporting goroutine, or the caller of Step.
type outbox struct {
	reports []outgoing
	acks    []queue.Delivery // reported in full, to be acknowledged
}

// outgoing is one message to the inbox, kept until it is stored.
type outgoing struct {
	*bundle
	results []task.Result // merged
	claimed int           // of these have their parts in place
	tries   int           // of claiming the next one
	trace   string        // that it belongs to; "": none
	span    tracing.Span
}

// report sends what is ready to the inbox, and notes which messages can then
// be acknowledged. After an error the same reports are sent again by the next
// call. With nothing to send, due is when there may be something; zero: not
// before another result is gathered.
func (w *Worker) report(ctx context.Context, flush bool) (sent int, due time.Time, err error) {
	if len(w.out.reports) == 0 {
		if due = w.collect(flush); len(w.out.reports) == 0 {
			return 0, due, nil
		}
	}
	messages, err := w.compose(ctx)
	if err != nil {
		return 0, time.Time{}, err
	}
	w.opt.Failpoint("worker.before-report")
	began := w.opt.Metrics.Now()
	if err := w.send(ctx, messages); err != nil {
		return 0, time.Time{}, fmt.Errorf("report to the inbox: %w", err)
	}
	sent = len(messages)
	w.opt.Metrics.Reported(w.outgoing(), began)
	w.settle()
	w.opt.Failpoint("worker.after-report")
	return sent, time.Time{}, nil
}

// collect takes the bundles that are ready, without what no longer counts.
func (w *Worker) collect(flush bool) (due time.Time) {
	w.mu.Lock()
	defer w.mu.Unlock()
	idle := len(w.executing) == 0 && w.unstarted == 0 // nothing that is here can end soon
	taken, due := w.results.ready(w.opt.Now(), flush || idle)
	for _, b := range taken {
		b.results = slices.DeleteFunc(b.results, func(r result) bool { return r.gone() })
		if len(b.results) == 0 {
			w.results.reported(b)
			continue
		}
		for i := range b.results {
			b.results[i].trim()
		}
		o := outgoing{bundle: b, results: merge(b.results)}
		w.traceReport(&o)
		w.out.reports = append(w.out.reports, o)
	}
	return due
}

// compose stores the lists of parts and encodes the reports.
func (w *Worker) compose(ctx context.Context) ([]queue.Message, error) {
	var messages []queue.Message
	for i := range w.out.reports {
		o := &w.out.reports[i]
		for o.claimed < len(o.results) {
			r := &o.results[o.claimed]
			if err := w.claim(ctx, o.bundle, r); err != nil {
				if o.tries++; o.tries < claimTries || ctx.Err() != nil {
					return nil, err
				}
				w.opt.Log.Error("worker: tasks are done but fail: what they produced cannot be listed",
					append(inLog(&task.Work{Process: o.process, Address: r.Address, Attempt: r.Attempt, Generation: r.Generation}, r.Tasks, o.trace), "error", err)...)
				unstorable(r, err, task.Retry)
			}
			o.claimed, o.tries = o.claimed+1, 0
		}
		m, err := w.message(o, o.results)
		if err != nil {
			return nil, err
		}
		messages = append(messages, m)
	}
	return messages, nil
}

// outgoing is how many tasks are being reported.
func (w *Worker) outgoing() (tasks int) {
	for _, o := range w.out.reports {
		for _, r := range o.results {
			tasks += r.Tasks.Len()
		}
	}
	return tasks
}

func (w *Worker) message(o *outgoing, results []task.Result) (queue.Message, error) {
	report := &task.Report{Process: o.process, Worker: w.opt.Name, Results: results}
	body, err := json.Marshal(task.Envelope{Report: report})
	if err != nil {
		return queue.Message{}, fmt.Errorf("encode a report: %w", err)
	}
	return queue.Message{Lane: queue.Reports, Key: o.process, Body: body, Trace: o.trace}, nil
}

// send stores all reports. If one is too large for the backend, each goes alone.
func (w *Worker) send(ctx context.Context, messages []queue.Message) error {
	err := w.opt.Inbox.Send(ctx, messages...)
	if !errors.Is(err, queue.ErrTooLarge) {
		return err
	}
	for _, o := range w.out.reports {
		if err := w.sendSplit(ctx, o); err != nil {
			return err
		}
	}
	return nil
}

// sendSplit sends the results of a report one by one. A result that is still
// too large becomes a failure, which is small.
func (w *Worker) sendSplit(ctx context.Context, o outgoing) error {
	for i := range o.results {
		for {
			m, err := w.message(&o, o.results[i:i+1])
			if err != nil {
				return err
			}
			err = w.opt.Inbox.Send(ctx, m)
			if err == nil {
				break
			}
			if !errors.Is(err, queue.ErrTooLarge) || o.results[i].Outcome != task.Done {
				return err
			}
			unstorable(&o.results[i], fmt.Errorf("the report of %d bytes does not fit into the inbox: %w", len(m.Body), err), task.Permanent)
		}
	}
	return nil
}

// settle notes that the reports are stored.
func (w *Worker) settle() {
	w.mu.Lock()
	defer w.mu.Unlock()
	for _, o := range w.out.reports {
		for i := range o.bundle.results {
			r := &o.bundle.results[i]
			for _, s := range r.shares {
				h := s.holding
				if h.open -= s.Count; h.open == 0 {
					delete(w.held, h)
					w.out.acks = append(w.out.acks, h.delivery)
				} else if r.executed > 0 {
					h.reported.add(s.Range)
				}
			}
		}
		w.results.reported(o.bundle)
		o.span.End()
	}
	w.out.reports = nil
	w.startable.Broadcast()
	w.roomy.Signal()
}

// acknowledge removes the messages whose tasks are all reported. If it fails
// for good, they are delivered again and reported as lost, which the core
// ignores for tasks that are confirmed.
func (w *Worker) acknowledge(ctx context.Context) error {
	if len(w.out.acks) == 0 {
		return nil
	}
	if err := w.opt.Work.Ack(ctx, w.out.acks...); err != nil {
		return fmt.Errorf("acknowledge %d messages: %w", len(w.out.acks), err)
	}
	w.out.acks = nil
	return nil
}
