// Package quarantine is where messages lie that could not be used, until a person
// looks at them. Nothing takes them out by itself.
package quarantine

import (
	"context"
	"encoding/json"
	"fmt"

	"github.com/deedrun/deed/api/wire"
	"github.com/deedrun/deed/queue"
	"github.com/deedrun/deed/task"
)

// Quarantine is that of the queues of a deed.
type Quarantine struct {
	box  queue.Browser
	from map[string]queue.Sender
}

// The queues that messages come from, as those who put them there say it.
const (
	fromInbox = "inbox"
	fromWork  = "work"
)

// New is what lies in a box, of messages that came from an inbox and a work queue.
func New(box queue.Browser, inbox, work queue.Sender) *Quarantine {
	return &Quarantine{box: box, from: map[string]queue.Sender{fromInbox: inbox, fromWork: work}}
}

// page is how many messages are asked for at a time.
const page = 100

// All lists the messages, the oldest first.
func (q *Quarantine) All(ctx context.Context) ([]wire.Quarantined, error) {
	all := []wire.Quarantined{}
	for after := uint64(0); ; {
		some, err := q.box.Browse(ctx, after, page)
		if err != nil {
			return nil, fmt.Errorf("look into the quarantine: %w", err)
		}
		for _, m := range some {
			all = append(all, read(m))
			after = m.Number
		}
		if len(some) < page {
			return all, nil
		}
	}
}

// Get is the message of a number; ok is false if there is none.
func (q *Quarantine) Get(ctx context.Context, number uint64) (m wire.Quarantined, ok bool, err error) {
	if number == 0 {
		return m, false, nil
	}
	some, err := q.box.Browse(ctx, number-1, 1)
	if err != nil {
		return m, false, fmt.Errorf("look into the quarantine: %w", err)
	}
	if len(some) == 0 || some[0].Number != number {
		return m, false, nil
	}
	return read(some[0]), true, nil
}

// read reads what lies there; whatever cannot be read is shown as it is.
func read(m queue.Browsed) wire.Quarantined {
	q := wire.Quarantined{Number: m.Number, Since: m.Sent}
	if err := json.Unmarshal(m.Body, &q.Quarantined); err != nil || q.From == "" {
		q.Quarantined = task.Quarantined{From: "?", Key: m.Key, Reason: "it was not put here by deed", Body: m.Body}
	}
	if m.Key == queue.Undecodable {
		q.From = fromWork // whatever a worker says: sent again, it must not become a command
	}
	return q
}

// Retry sends the message of a number again to the queue it came from, and then
// takes it out of quarantine; ok is false if there is none. If it still cannot be
// used it comes back, under another number; if this is interrupted in between it
// has been sent and is still here.
func (q *Quarantine) Retry(ctx context.Context, number uint64) (ok bool, err error) {
	m, ok, err := q.Get(ctx, number)
	if err != nil || !ok {
		return false, err
	}
	to, ok := q.from[m.From]
	if !ok {
		return false, fmt.Errorf("message %d of the quarantine came from %q, and this version has no such queue", m.Number, m.From)
	}
	if err := to.Send(ctx, queue.Message{Lane: m.Lane, Key: m.Key, Body: m.Body}); err != nil {
		return false, fmt.Errorf("send message %d of the quarantine again: %w", m.Number, err)
	}
	if err := q.box.Remove(ctx, m.Number); err != nil {
		return false, fmt.Errorf("message %d of the quarantine was sent again, but is still there: %w", m.Number, err)
	}
	return true, nil
}
