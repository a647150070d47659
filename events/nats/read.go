package nats

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"iter"
	"slices"
	"strings"

	"github.com/nats-io/nats.go/jetstream"

	"github.com/deedrun/deed/events"
	"github.com/deedrun/deed/internal/eventdriver"
	"github.com/deedrun/deed/internal/natsconn"
)

// Read implements [events.Driver]: pages of the stream's own messages, without
// a consumer.
func (d *driver) Read(ctx context.Context, stream string, after uint64) iter.Seq2[events.Commit, error] {
	return func(yield func(events.Commit, error) bool) {
		err := d.read(ctx, stream, after, func(c events.Commit) bool { return yield(c, nil) })
		if err != nil {
			yield(events.Commit{}, fmt.Errorf("read stream %q: %w", stream, failure(ctx, err)))
		}
	}
}

func (d *driver) read(ctx context.Context, stream string, after uint64, yield func(events.Commit) bool) error {
	// A replica may lag behind: what it has to deliver is up to the last commit
	// that the leader has. A single server is asked once less.
	var until uint64
	if d.replicated {
		last, ok, err := d.last(ctx, stream)
		if err != nil || !ok || last.Version() <= after {
			return err
		}
		until = uint64(last.Checkpoint)
	}
	next, found := uint64(1), after == 0
	missed := uint64(0) // from where on a page had nothing, though something was there
	for {
		page, err := d.page(ctx, d.subject(stream), next)
		if err != nil {
			return err
		}
		for _, m := range page.messages {
			c, err := d.commit(m.subject, m.seq, m.data)
			if err != nil {
				return err
			}
			next = m.seq + 1
			if c.Version() <= after {
				continue
			}
			found = true
			if !yield(c) {
				return nil
			}
		}
		switch {
		case page.more && !found: // a long way to go: not page by page
			if next, found, err = d.search(ctx, stream, after, next); err != nil || !found {
				return err
			}
		case page.more:
		case next > until && len(page.messages) > 0:
			return nil
		case next > until: // nothing where something was to come, or nothing at all
			last, _, err := d.last(ctx, stream)
			if err != nil || uint64(last.Checkpoint) < next {
				return err
			}
			if missed == next {
				return damaged("a message after %d of %q cannot be read: the log is damaged; restore it from a copy", next-1, d.name)
			}
			missed = next // it may have been appended just now
		default: // until the replica has caught up
			if err := pause(ctx); err != nil {
				return err
			}
		}
	}
}

// search finds the sequence of the commit that holds event after+1, at from or
// later, by halving; ok is false if the stream ends before it.
func (d *driver) search(ctx context.Context, stream string, after, from uint64) (seq uint64, ok bool, err error) {
	last, ok, err := d.last(ctx, stream)
	if err != nil || !ok || last.Version() <= after {
		return 0, false, err
	}
	low, high := from, uint64(last.Checkpoint)
	for low < high {
		middle := low + (high-low)/2
		c, err := d.firstAt(ctx, stream, middle)
		switch {
		case err != nil:
			return 0, false, err
		case c.Version() <= after:
			low = uint64(c.Checkpoint) + 1
		default:
			// It is this commit or an earlier one; none lies between middle and it.
			high = middle
		}
	}
	return low, true, nil
}

// firstAt is the stream's first commit at a sequence or later; there is one.
func (d *driver) firstAt(ctx context.Context, stream string, seq uint64) (events.Commit, error) {
	ctx, cancel := natsconn.Call(ctx, d.nc, callWithin)
	defer cancel()
	m, err := d.log.GetMsg(ctx, seq, jetstream.WithGetMsgSubject(d.subject(stream)))
	if err != nil {
		return events.Commit{}, err
	}
	return d.commit(m.Subject, m.Sequence, m.Data)
}

func (d *driver) Last(ctx context.Context, stream string) (events.Commit, bool, error) {
	c, ok, err := d.last(ctx, stream)
	if err != nil {
		return events.Commit{}, false, fmt.Errorf("read the end of stream %q: %w", stream, failure(ctx, err))
	}
	return c, ok, nil
}

func (d *driver) last(ctx context.Context, stream string) (events.Commit, bool, error) {
	ctx, cancel := d.call(ctx)
	defer cancel()
	var m *jetstream.RawStreamMsg
	var err error
	if d.replicated {
		m, err = d.lastOfLeader(ctx, d.subject(stream))
	} else {
		m, err = d.log.GetLastMsgForSubject(ctx, d.subject(stream))
	}
	if errors.Is(err, jetstream.ErrMsgNotFound) {
		if err = d.absent(ctx, stream); err == nil {
			d.heads.Put(stream, eventdriver.Head{}) // who looked is about to begin it
		}
		return events.Commit{}, false, err
	}
	if err != nil {
		return events.Commit{}, false, err
	}
	c, err := d.commit(m.Subject, m.Sequence, m.Data)
	if err == nil {
		d.heads.Put(stream, headOf(c))
	}
	return c, err == nil, err
}

// absent is an error unless a stream of which the server gives no last message
// has none. One that cannot be read, since its bytes are not what was written,
// is passed over by the server as if it were not there, but it counts.
func (d *driver) absent(ctx context.Context, stream string) error {
	info, err := d.log.Info(ctx, jetstream.WithSubjectFilter(d.subject(stream)))
	for errors.Is(err, jetstream.ErrStreamNotFound) && d.replicated { // by one who was elected just now
		if err := pause(ctx); err != nil {
			return err
		}
		info, err = d.log.Info(ctx, jetstream.WithSubjectFilter(d.subject(stream)))
	}
	if err != nil || info.State.Subjects[d.subject(stream)] == 0 {
		return err
	}
	if _, err := d.lastOfLeader(ctx, d.subject(stream)); !errors.Is(err, jetstream.ErrMsgNotFound) {
		return err // it was appended just now, and stood nowhere before
	}
	return damaged("the history in stream %q is damaged: its last commit cannot be read; restore the log %q from a copy, or start the job under another ID", stream, d.name)
}

// lastOfLeader asks the leader, where the client library would ask any replica.
func (d *driver) lastOfLeader(ctx context.Context, subject string) (*jetstream.RawStreamMsg, error) {
	request, err := json.Marshal(map[string]string{"last_by_subj": subject})
	if err != nil {
		return nil, err
	}
	answer, err := d.nc.RequestWithContext(ctx, "$JS.API.STREAM.MSG.GET."+d.name, request)
	if err != nil {
		return nil, err
	}
	var reply struct {
		Error   *jetstream.APIError `json:"error"`
		Message *struct {
			Subject string `json:"subject"`
			Seq     uint64 `json:"seq"`
			Data    []byte `json:"data"`
		} `json:"message"`
	}
	if err := json.Unmarshal(answer.Data, &reply); err != nil {
		return nil, fmt.Errorf("unexpected answer of the server: %w", err)
	}
	switch {
	case reply.Error != nil && reply.Error.ErrorCode == jetstream.JSErrCodeMessageNotFound:
		return nil, jetstream.ErrMsgNotFound
	case reply.Error != nil:
		return nil, reply.Error
	case reply.Message == nil:
		return nil, errors.New("unexpected answer of the server: neither a message nor an error")
	}
	return &jetstream.RawStreamMsg{Subject: reply.Message.Subject, Sequence: reply.Message.Seq, Data: reply.Message.Data}, nil
}

// Streams implements [events.Driver]: the subjects of the log.
func (d *driver) Streams(ctx context.Context, prefix string) ([]string, error) {
	call, cancel := natsconn.Call(ctx, d.nc, appendWithin)
	defer cancel()
	info, err := d.log.Info(call, jetstream.WithSubjectFilter(d.prefix+"*"))
	if err != nil {
		return nil, fmt.Errorf("list streams %q: %w", prefix, failure(ctx, err))
	}
	var names []string
	for subject := range info.State.Subjects {
		if name, ok := d.stream(subject); ok && strings.HasPrefix(name, prefix) {
			names = append(names, name)
		}
	}
	slices.Sort(names)
	return names, nil
}
