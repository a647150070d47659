package nats

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"strconv"
	"time"

	"github.com/nats-io/nats.go"

	"github.com/deedrun/deed/internal/natsconn"
)

const (
	pageMessages = 500
	pageBytes    = 2 << 20 // a page ends with the message that exceeds it
)

// message is one of the log.
type message struct {
	subject string
	seq     uint64
	data    []byte
}

// page is what one request is answered with.
type page struct {
	messages []message
	more     bool   // others follow
	until    uint64 // the log's last sequence, as far as the server that answered knew; only of lasts
}

// page reads the messages on a subject from a sequence on, as many as a page
// holds.
func (d *driver) page(ctx context.Context, subject string, from uint64) (page, error) {
	return d.get(ctx, map[string]any{"seq": from, "next_by_subj": subject, "batch": pageMessages, "max_bytes": pageBytes})
}

// get is a batched direct get, which the client library does not offer: one
// request, an answer a message, and an empty one with status 204 that ends them.
func (d *driver) get(ctx context.Context, request map[string]any) (p page, err error) {
	ctx, cancel := natsconn.Call(ctx, d.nc, callWithin)
	defer cancel()
	body, err := json.Marshal(request)
	if err != nil {
		return p, err
	}
	inbox := d.nc.NewInbox()
	sub, err := d.nc.SubscribeSync(inbox)
	if err != nil {
		return p, err
	}
	defer func() { _ = sub.Unsubscribe() }() // fails only on a closed connection, which forgot it anyway
	if err := d.nc.PublishRequest("$JS.API.DIRECT.GET."+d.name, inbox, body); err != nil {
		return p, err
	}
	var last uint64
	for {
		m, err := sub.NextMsgWithContext(ctx)
		if err != nil {
			return page{}, err
		}
		if status := m.Header.Get("Status"); status != "" {
			err := p.end(m, status, last)
			return p, err
		}
		seq, err := number(m.Header, "Nats-Sequence")
		if err != nil {
			return page{}, err
		}
		if before, err := number(m.Header, "Nats-Last-Sequence"); err != nil || before != last {
			return page{}, lostAnswer(last)
		}
		last = seq
		p.messages = append(p.messages, message{subject: m.Header.Get("Nats-Subject"), seq: seq, data: m.Data})
	}
}

// end reads the answer that ends a page.
func (p *page) end(m *nats.Msg, status string, last uint64) error {
	switch {
	case status == "204":
		if end, err := number(m.Header, "Nats-Last-Sequence"); err != nil || end != last {
			return lostAnswer(last)
		}
		pending, err := number(m.Header, "Nats-Num-Pending")
		if p.more = pending > 0; err == nil && m.Header.Get("Nats-UpTo-Sequence") != "" {
			p.until, err = number(m.Header, "Nats-UpTo-Sequence")
		}
		return err
	case status == "404" && len(p.messages) == 0:
		return nil
	case status == "503":
		return nats.ErrNoResponders
	}
	return fmt.Errorf("read a page: the server answered %s %s", status, m.Header.Get("Description"))
}

// lostAnswer says that messages of a page did not arrive; the connection
// dropped them.
func lostAnswer(after uint64) error {
	return fmt.Errorf("answers after message %d were lost: %w", after, nats.ErrTimeout)
}

func number(h nats.Header, name string) (uint64, error) {
	n, err := strconv.ParseUint(h.Get(name), 10, 64)
	if err != nil {
		return 0, errors.New("unexpected answer of the server: header " + name + " is " + strconv.Quote(h.Get(name)))
	}
	return n, nil
}

// pause waits a little before something is asked for again.
func pause(ctx context.Context) error {
	select {
	case <-ctx.Done():
		return ctx.Err()
	case <-time.After(25 * time.Millisecond):
		return nil
	}
}
