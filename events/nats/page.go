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

// page reads the messages on a subject from a sequence on, as many as a page
// holds; more says that others follow. It is a batched direct get, which the
// client library does not offer: one request, an answer a message, and an
// empty one with status 204 that ends them.
func (d *Driver) page(ctx context.Context, subject string, from uint64) ([]message, bool, error) {
	ctx, cancel := natsconn.Call(ctx, d.nc, callWithin)
	defer cancel()
	request, err := json.Marshal(map[string]any{"seq": from, "next_by_subj": subject, "batch": pageMessages, "max_bytes": pageBytes})
	if err != nil {
		return nil, false, err
	}
	inbox := d.nc.NewInbox()
	sub, err := d.nc.SubscribeSync(inbox)
	if err != nil {
		return nil, false, err
	}
	defer func() { _ = sub.Unsubscribe() }() // fails only on a closed connection, which forgot it anyway
	if err := d.nc.PublishRequest("$JS.API.DIRECT.GET."+d.name, inbox, request); err != nil {
		return nil, false, err
	}
	var page []message
	var last uint64
	for {
		m, err := sub.NextMsgWithContext(ctx)
		if err != nil {
			return nil, false, err
		}
		if status := m.Header.Get("Status"); status != "" {
			more, err := endOfPage(m, status, len(page), last)
			return page, more, err
		}
		seq, err := number(m.Header, "Nats-Sequence")
		if err != nil {
			return nil, false, err
		}
		if before, err := number(m.Header, "Nats-Last-Sequence"); err != nil || before != last {
			return nil, false, lostAnswer(last)
		}
		last = seq
		page = append(page, message{subject: m.Header.Get("Nats-Subject"), seq: seq, data: m.Data})
	}
}

func endOfPage(m *nats.Msg, status string, count int, last uint64) (more bool, err error) {
	switch {
	case status == "204":
		if end, err := number(m.Header, "Nats-Last-Sequence"); err != nil || end != last {
			return false, lostAnswer(last)
		}
		pending, err := number(m.Header, "Nats-Num-Pending")
		return pending > 0, err
	case status == "404" && count == 0:
		return false, nil
	case status == "503":
		return false, nats.ErrNoResponders
	}
	return false, fmt.Errorf("read a page: the server answered %s %s", status, m.Header.Get("Description"))
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
