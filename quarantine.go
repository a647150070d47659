package deed

import (
	"context"
	"encoding/json"
	"fmt"
	"time"

	"github.com/deedrun/deed/api/client"
	"github.com/deedrun/deed/queue"
	"github.com/deedrun/deed/task"
)

// Quarantine is where messages lie that could not be used, until a person
// looks at them. Nothing takes them out by itself.
type Quarantine struct {
	box    queue.Browser
	from   map[string]queue.Sender
	remote *client.Client // if it is that of a server, asked by its API
}

// Quarantined is a message in quarantine.
type Quarantined struct {
	Number uint64    `json:"number"`
	Since  time.Time `json:"since"`
	task.Quarantined
}

// Quarantine is that of the runtime's queues.
func (r *Runtime) Quarantine() (*Quarantine, error) {
	if r.remote != nil {
		return &Quarantine{remote: r.remote}, nil
	}
	if r.lane != nil {
		return r.lookLater, nil
	}
	box, ok := r.quarantine.(queue.Browser)
	if !ok {
		return nil, fmt.Errorf("the quarantine is in a queue that cannot be browsed (%T)", r.quarantine)
	}
	return &Quarantine{box: box, from: map[string]queue.Sender{inboxQueue: r.Inbox, workQueue: r.work}}, nil
}

// quarantinePage is how many messages are asked for at a time.
const quarantinePage = 100

// All lists the messages, the oldest first.
func (q *Quarantine) All(ctx context.Context) ([]Quarantined, error) {
	var all []Quarantined
	if q.remote != nil {
		err := q.remote.Quarantine(ctx, &all)
		return all, err
	}
	for after := uint64(0); ; {
		page, err := q.box.Browse(ctx, after, quarantinePage)
		if err != nil {
			return nil, fmt.Errorf("look into the quarantine: %w", err)
		}
		for _, m := range page {
			all = append(all, readQuarantined(m))
			after = m.Number
		}
		if len(page) < quarantinePage {
			return all, nil
		}
	}
}

// Get is the message of a number; ok is false if there is none.
func (q *Quarantine) Get(ctx context.Context, number uint64) (m Quarantined, ok bool, err error) {
	if number == 0 {
		return m, false, nil
	}
	if q.remote != nil {
		ok, err = q.remote.Quarantined(ctx, number, &m)
		return m, ok, err
	}
	page, err := q.box.Browse(ctx, number-1, 1)
	if err != nil {
		return m, false, fmt.Errorf("look into the quarantine: %w", err)
	}
	if len(page) == 0 || page[0].Number != number {
		return m, false, nil
	}
	return readQuarantined(page[0]), true, nil
}

// readQuarantined reads what lies there; whatever cannot be read is shown as it is.
func readQuarantined(m queue.Browsed) Quarantined {
	q := Quarantined{Number: m.Number, Since: m.Sent}
	if err := json.Unmarshal(m.Body, &q.Quarantined); err != nil || q.From == "" {
		q.Quarantined = task.Quarantined{From: "?", Key: m.Key, Reason: "it was not put here by deed", Body: m.Body}
	}
	if m.Key == queue.Undecodable {
		q.From = workQueue // whatever a worker says: sent again, it must not become a command
	}
	return q
}

// Retry sends a message again to the queue it came from, and then takes it out
// of quarantine. If it still cannot be used it comes back, under another
// number; if this is interrupted in between it has been sent and is still here.
func (q *Quarantine) Retry(ctx context.Context, m Quarantined) error {
	if q.remote != nil {
		return q.remote.RetryQuarantined(ctx, m.Number)
	}
	to, ok := q.from[m.From]
	if !ok {
		return fmt.Errorf("message %d of the quarantine came from %q, and this version has no such queue", m.Number, m.From)
	}
	if err := to.Send(ctx, queue.Message{Lane: m.Lane, Key: m.Key, Body: m.Body}); err != nil {
		return fmt.Errorf("send message %d of the quarantine again: %w", m.Number, err)
	}
	if err := q.box.Remove(ctx, m.Number); err != nil {
		return fmt.Errorf("message %d of the quarantine was sent again, but is still there: %w", m.Number, err)
	}
	return nil
}
