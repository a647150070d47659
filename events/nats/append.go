package nats

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/nats-io/nats.go/jetstream"

	"github.com/deedrun/deed/events"
	"github.com/deedrun/deed/internal/eventdriver"
	"github.com/deedrun/deed/internal/natsconn"
)

const (
	// callWithin bounds one request to the server, whose disk may be busy.
	callWithin = 10 * time.Second
	// answerWithin bounds one that a cluster's leader answers: one that goes takes
	// the answer with it, and no connection is lost. Its successor takes a repeat.
	answerWithin = 3 * time.Second
	// appendWithin bounds an append with all its requests.
	appendWithin = 30 * time.Second
	// headerRoom is what the headers and the subject add to a message, at most.
	headerRoom = 512
)

// Append implements [events.Driver].
//
// The head of the stream comes from the cache, or from the server if the cache
// has none or another version. The publish that follows is refused if somebody
// came in between; then the head is read anew and decides: another version is
// a conflict, the same one means that the server refused for the moment (a
// commit in flight that never came to be), and the publish is tried again.
func (d *driver) Append(ctx context.Context, stream string, expected events.Expected, c events.Commit) (uint64, error) {
	version, err := d.append(ctx, stream, expected, c)
	var conflict *events.ConflictError
	if err != nil && !errors.As(err, &conflict) {
		return 0, fmt.Errorf("append to stream %q: %w", stream, err)
	}
	return version, err
}

func (d *driver) append(caller context.Context, stream string, expected events.Expected, c events.Commit) (uint64, error) {
	ctx, cancel := context.WithTimeout(caller, appendWithin)
	defer cancel()
	want, exact := expected.Version()
	for {
		h, err := d.head(ctx, stream, expected)
		if err != nil {
			return 0, failure(caller, err)
		}
		if exact && h.Version != want {
			return 0, &events.ConflictError{Stream: stream, Expected: expected, Actual: h.Version}
		}
		c.First = h.Version
		seq, err := d.publish(ctx, stream, c, h.Position)
		if err == nil {
			d.heads.Put(stream, eventdriver.Head{Version: c.Version(), Position: seq})
			return c.Version(), nil
		}
		// Whether it was stored is unknown, or the head was wrong.
		d.heads.Drop(stream)
		if !wrongSequence(err) {
			return 0, failure(caller, err)
		}
		now, err := d.load(ctx, stream)
		if err != nil {
			return 0, failure(caller, err)
		}
		if now == h {
			if err := pause(ctx); err != nil {
				return 0, failure(caller, fmt.Errorf("the server refuses the sequence it reports: %w", err))
			}
		}
	}
}

// publish sends the commit to follow the message seq on its subject.
func (d *driver) publish(ctx context.Context, stream string, c events.Commit, seq uint64) (uint64, error) {
	body := encode(c)
	if most := d.nc.MaxPayload() - headerRoom; int64(len(body)) > most {
		return 0, fmt.Errorf("%w: %d events of %d bytes together, at most %d fit: append fewer at a time, or raise the server's max_payload",
			events.ErrTooLarge, len(c.Events), len(body), most)
	}
	ctx, cancel := d.call(ctx)
	defer cancel()
	ack, err := d.js.Publish(ctx, d.subject(stream), body,
		jetstream.WithExpectStream(d.name), jetstream.WithExpectLastSequencePerSubject(seq))
	if err != nil {
		if errors.Is(err, jetstream.ErrStreamMessageExceedsMaximum) {
			return 0, fmt.Errorf("%w: %w", events.ErrTooLarge, err)
		}
		return 0, err
	}
	return ack.Sequence, nil
}

// call is the context of one request to whoever leads the log.
func (d *driver) call(ctx context.Context) (context.Context, context.CancelFunc) {
	if d.replicated {
		return natsconn.Call(ctx, d.nc, answerWithin)
	}
	return natsconn.Call(ctx, d.nc, callWithin)
}

// head is the end of the stream: the one that is remembered, if that fits what is
// expected.
func (d *driver) head(ctx context.Context, stream string, expected events.Expected) (eventdriver.Head, error) {
	if h, ok := d.heads.Get(stream, expected); ok {
		return h, nil
	}
	return d.load(ctx, stream)
}

// load reads the end of the stream from the server.
func (d *driver) load(ctx context.Context, stream string) (eventdriver.Head, error) {
	c, _, err := d.last(ctx, stream)
	if err != nil {
		return eventdriver.Head{}, err
	}
	return headOf(c), nil
}

// headOf is the end of a stream by its last commit; the zero Commit: there is none.
func headOf(c events.Commit) eventdriver.Head {
	if len(c.Events) == 0 {
		return eventdriver.Head{}
	}
	return eventdriver.Head{Version: c.Version(), Position: uint64(c.Checkpoint)}
}

// wrongSequence says that the subject's last message is not the expected one.
func wrongSequence(err error) bool {
	var api *jetstream.APIError
	return errors.As(err, &api) &&
		(api.ErrorCode == jetstream.JSErrCodeStreamWrongLastSequence || api.ErrorCode == jetstream.JSErrCodeStreamWrongLastSequenceConstant)
}
