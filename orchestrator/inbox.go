package orchestrator

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/deedrun/deed/internal/planted"
	"github.com/deedrun/deed/orchestrator/process"
	"github.com/deedrun/deed/queue"
	"github.com/deedrun/deed/task"
)

// Answer is what the sender of a command gets on its reply topic, after the
// events are stored.
type Answer struct {
	Error   string   `json:"error,omitempty"`
	Refused bool     `json:"refused,omitempty"` // sending it again is pointless
	Differs []string `json:"differs,omitempty"`
	Version uint64   `json:"version"`
}

// request is a command on its way through a pass.
type request struct {
	command  process.Command
	delivery *queue.Delivery // that it came with; nil: it is the owner's own
	replyTo  string
	parents  bool // it is of the process's parent, which waits for no answer
	answer   Answer
	decided  []process.Event // what followed from it
}

// batch is requests by process, so that those of one share commits. Processes
// stand in the order in which they came first.
type batch struct {
	order []string
	todo  map[string][]*request
}

func (b *batch) add(id string, requests ...*request) {
	if b.todo == nil {
		b.todo = map[string][]*request{}
	}
	if _, known := b.todo[id]; !known {
		b.order = append(b.order, id)
	}
	b.todo[id] = append(b.todo[id], requests...)
}

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

// longestName bounds what a report may call a worker or a step: it gets into
// events and into memory.
const longestName = 4 << 10

// results turns a worker's report into commands.
func (o *Owner) results(now time.Time, d *queue.Delivery, report *task.Report) ([]*request, error) {
	if report.Process != d.Key {
		return nil, fmt.Errorf("the report is of process %q but was filed under %q", report.Process, d.Key)
	}
	if len(report.Worker) > longestName {
		return nil, fmt.Errorf("the name of the worker has %d bytes", len(report.Worker))
	}
	var all []*request
	for _, r := range report.Results {
		if len(r.Address) > longestName {
			return nil, fmt.Errorf("the address of a step has %d bytes", len(r.Address))
		}
		if err := o.ofChild(d, r); err != nil {
			return nil, err
		}
		var c process.Command
		if !o.isChild(report.Process, r.Address) {
			o.feeder.measure(report.Process, r)
		}
		if r.Outcome == task.Unserved || r.Outcome == task.Returned {
			o.refusals.note(now, report.Process, report.Worker, r)
		}
		switch r.Outcome {
		case task.Done:
			c = process.ConfirmTasks{
				Address: r.Address, Generation: r.Generation, Attempt: r.Attempt, Tasks: r.Tasks, Parts: r.Parts,
				Manifest: r.Manifest, Sealed: r.Sealed, Lists: r.Lists, Worker: report.Worker, Elapsed: r.Elapsed, At: now,
			}
		case task.Reused:
			c = process.ReuseTasks{
				Address: r.Address, Generation: r.Generation, Attempt: r.Attempt, Tasks: r.Tasks, Parts: r.Parts,
				Manifest: r.Manifest, Origins: r.Origins, At: now,
			}
		case task.Failed:
			f := task.Failure{Error: "the worker gave no reason", Verdict: task.Retry}
			if r.Failure != nil {
				f = *r.Failure
			}
			c = process.FailTasks{
				Address: r.Address, Generation: r.Generation, Attempt: r.Attempt, Tasks: r.Tasks,
				Error: f.Error, Verdict: f.Verdict, After: f.After, Element: f.Element, Worker: report.Worker, At: now,
			}
		case task.Begun:
			o.children.heard = append(o.children.heard, hearing{report.Process, birth{r.Address, r.Generation, r.Tasks[0].First}, r.Attempt, r.Held})
			continue
		case task.Prepared:
			o.prepared(report.Process, r)
			continue
		case task.Lost:
			if r.Tasks = o.children.without(report.Process, r.Address, r.Generation, r.Attempt, r.Tasks); len(r.Tasks) == 0 {
				continue // they go on as children, whatever became of who looked up what these read
			}
			c = process.LoseTasks{
				Address: r.Address, Generation: r.Generation, Attempt: r.Attempt, Tasks: r.Tasks,
				Worker: report.Worker, At: now,
			}
		case task.Returned:
			o.taken.returned += r.Tasks.Len()
			o.giveBack(now, report.Process, r)
			continue
		case task.Unserved:
			o.taken.unserved += r.Tasks.Len()
			o.sendElsewhere(now, report.Process, r)
			continue
		default:
			return nil, fmt.Errorf("the report has a result of an unknown kind %q", r.Outcome)
		}
		all = append(all, &request{command: c, delivery: d})
	}
	return all, nil
}

// quarantinedBody is how much is kept of a message that is too large to be
// kept whole.
const quarantinedBody = 64 << 10

// quarantinedReason is how much is kept of why, which may quote the message.
const quarantinedReason = 1 << 10

// quarantine keeps a message that cannot be used, with the reason, where a
// person can look at it. In its envelope it may be too large for the queue that
// it fitted into before: then its beginning is kept, so that it holds up nobody.
func (o *Owner) quarantine(ctx context.Context, d queue.Delivery, why error) error {
	reason := beginning(why.Error(), quarantinedReason)
	o.Log.Error("orchestrator: a message is put into quarantine", o.inLog(d.Key, "shard", queue.ShardOf(d.Key), "reason", reason)...)
	kept := task.Quarantined{From: "inbox", Lane: d.Lane, Key: d.Key, Reason: reason, Body: d.Body}
	err := o.sendQuarantined(ctx, kept)
	if errors.Is(err, queue.ErrTooLarge) && len(d.Body) > quarantinedBody {
		kept.Body = d.Body[:quarantinedBody]
		kept.Reason += fmt.Sprintf(" (of its %d bytes the first %d are kept)", len(d.Body), quarantinedBody)
		err = o.sendQuarantined(ctx, kept)
	}
	if err != nil {
		return fmt.Errorf("quarantine a message: %w", err)
	}
	o.Metrics.Quarantined()
	return nil
}

// beginning is a text, or as much of it as fits.
func beginning(text string, most int) string {
	if len(text) <= most {
		return text
	}
	return strings.ToValidUTF8(text[:most], "") + " […]"
}

func (o *Owner) sendQuarantined(ctx context.Context, q task.Quarantined) error {
	body, err := json.Marshal(q)
	if err != nil {
		return err
	}
	return o.Quarantine.Send(ctx, queue.Message{Key: "inbox", Body: body})
}

func decodeHeartbeat(body []byte) (task.Heartbeat, error) {
	var b task.Heartbeat
	if err := json.Unmarshal(body, &b); err != nil {
		return b, err
	}
	if b.Worker == "" {
		return b, fmt.Errorf("it names no worker")
	}
	return b, nil
}
