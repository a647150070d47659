package orchestrator

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"time"

	"github.com/deedrun/deed/internal/metrics"
	"github.com/deedrun/deed/internal/planted"
	"github.com/deedrun/deed/orchestrator/process"
	"github.com/deedrun/deed/queue"
	"github.com/deedrun/deed/task"
)

// inboxBatch is how many messages are received in one step.
const inboxBatch = 1024

// handleInbox decides on all deliveries, process by process, and acknowledges
// them. On an error none of the rest is acknowledged, and all come again.
func (o *Owner) handleInbox(ctx context.Context, now time.Time, deliveries []queue.Delivery) error {
	if len(deliveries) == 0 {
		return nil
	}
	o.backlog, o.taken = deliveries, taken{}
	if planted.Is(planted.AckBeforeAppend) {
		_ = o.Inbox.Ack(ctx, deliveries...)
	}
	var all batch
	for i := range deliveries {
		d := &deliveries[i]
		requests, err := o.requests(now, d)
		if err != nil {
			o.taken.unusable++
			if o.answered(ctx, d, err) {
				continue
			}
			if err := o.quarantine(ctx, *d, err); err != nil {
				return err
			}
			continue
		}
		o.taken.add(requests)
		all.add(d.Key, requests...)
	}
	if err := o.passAll(ctx, all); err != nil {
		return err
	}
	if err := o.tellParents(ctx, now); err != nil {
		return err
	}
	o.Failpoint("orchestrator.before-ack")
	if err := o.Inbox.Ack(ctx, deliveries...); err != nil {
		return fmt.Errorf("acknowledge the inbox: %w", err)
	}
	o.backlog = nil
	o.taken.count(o.Metrics)
	return nil
}

// answered tells whoever waits for an answer that the message is of no use. A
// message that nobody waits for is not answered.
func (o *Owner) answered(ctx context.Context, d *queue.Delivery, why error) bool {
	var envelope struct {
		ReplyTo string `json:"replyTo"`
	}
	if !mayBeAnswered(d) || json.Unmarshal(d.Body, &envelope) != nil || envelope.ReplyTo == "" {
		return false
	}
	o.reply(ctx, []*request{{replyTo: envelope.ReplyTo, answer: Answer{Error: why.Error(), Refused: true}}})
	return true
}

// requests reads a message. Its error is for good.
func (o *Owner) requests(now time.Time, d *queue.Delivery) ([]*request, error) {
	var envelope task.Envelope
	if err := json.Unmarshal(d.Body, &envelope); err != nil {
		return nil, fmt.Errorf("it is no message of deed: %w", err)
	}
	if err := believable(d.Lane, envelope); err != nil {
		return nil, err
	}
	switch {
	case envelope.Report != nil:
		return o.results(now, d, envelope.Report)
	case envelope.Command != nil:
		c, err := process.DecodeCommand(envelope.Command, now)
		if err != nil {
			return nil, err
		}
		if start, ok := c.(process.StartProcess); ok && start.ID != d.Key {
			return nil, fmt.Errorf("the command is for another process than %q", d.Key)
		}
		parents := envelope.ReplyTo == "" && isFromParent(c)
		return []*request{{command: c, delivery: d, replyTo: envelope.ReplyTo, parents: parents}}, nil
	}
	return nil, fmt.Errorf("it holds neither a report nor a command")
}

// believable refuses what a message says that whoever may send to its lane may
// not say. Who may send to which lane is for the backend to enforce: with locks
// workers reach queue.Reports and nothing else. A report counts from anywhere:
// whoever may command may do more harm than a report can.
func believable(lane string, e task.Envelope) error {
	switch {
	case e.Command == nil:
		return nil
	case lane != "":
		return fmt.Errorf("a command came by the lane %q, which is for workers' reports: it is not carried out", lane)
	case e.Report != nil:
		return errors.New("it holds both a report and a command: neither counts")
	}
	return nil
}

// mayBeAnswered reports whether what came with a delivery may name the topic of
// an answer: a worker could name anybody's.
func mayBeAnswered(d *queue.Delivery) bool { return d.Lane == "" }

// taken is what came out of the inbox. It is counted once that is acknowledged:
// until then all of it comes again, however long a backend is away.
type taken struct {
	reports, commands, unusable int // messages
	returned, unserved          int // tasks
}

// add notes a message that led to requests; a report may lead to none.
func (t *taken) add(requests []*request) {
	for _, r := range requests {
		switch r.command.(type) {
		case process.ConfirmTasks, process.ReuseTasks, process.FailTasks, process.LoseTasks:
		default:
			t.commands++
			return
		}
	}
	t.reports++
}

func (t *taken) count(m *metrics.Orchestrator) {
	m.Messages(metrics.Report, t.reports)
	m.Messages(metrics.Command, t.commands)
	m.Messages(metrics.Unusable, t.unusable)
	m.Tasks(metrics.TasksReturned, t.returned)
	m.Tasks(metrics.TasksUnserved, t.unserved)
}
