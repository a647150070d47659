package nats

import (
	"context"
	"errors"
	"fmt"
	"iter"
	"slices"

	"github.com/deedrun/deed/events"
	"github.com/deedrun/deed/internal/natsconn"
)

// endsAtOnce is how many streams one request asks about; the server takes 1,024.
const endsAtOnce = 500

// Ends implements [events.EndsDriver]: a request for many streams, an answer a
// stream.
func (d *driver) Ends(ctx context.Context, prefix string) iter.Seq2[events.Commit, error] {
	return func(yield func(events.Commit, error) bool) {
		streams, err := d.Streams(ctx, prefix)
		if err != nil {
			yield(events.Commit{}, err)
			return
		}
		if err := d.ends(ctx, streams, func(c events.Commit) bool { return yield(c, nil) }); err != nil {
			yield(events.Commit{}, fmt.Errorf("read the ends of streams %q: %w", prefix, failure(ctx, err)))
		}
	}
}

func (d *driver) ends(ctx context.Context, streams []string, yield func(events.Commit) bool) error {
	// A replica may lag behind: what it answers has to reach as far as the
	// leader's log does now.
	var until uint64
	if d.replicated {
		call, cancel := natsconn.Call(ctx, d.nc, callWithin)
		defer cancel()
		info, err := d.log.Info(call)
		if err != nil {
			return err
		}
		until = info.State.LastSeq
	}
	for len(streams) > 0 {
		asked := streams[:min(len(streams), endsAtOnce)]
		page, err := d.lasts(ctx, asked)
		if err != nil {
			return err
		}
		if page.until < until {
			return d.oneByOne(ctx, streams, yield)
		}
		answered := make(map[string]bool, len(page.messages))
		for _, m := range page.messages {
			stream, _ := d.stream(m.subject) // one of those asked for
			answered[stream] = true
			if !yield(d.end(stream, m)) {
				return nil
			}
		}
		left := slices.DeleteFunc(slices.Clone(asked), func(s string) bool { return answered[s] })
		switch {
		case page.more && len(answered) > 0: // the others of them were too many bytes
			streams = append(left, streams[len(asked):]...)
		default: // the server stops where it cannot read
			if err := d.oneByOne(ctx, left, yield); err != nil {
				return err
			}
			streams = streams[len(asked):]
		}
	}
	return nil
}

// end is a last message as a commit; without events if it is none.
func (d *driver) end(stream string, m message) events.Commit {
	c, err := d.commit(m.subject, m.seq, m.data)
	if err != nil {
		return events.Commit{Stream: stream}
	}
	return c
}

// lasts reads the last messages of streams, as many as a page holds.
func (d *driver) lasts(ctx context.Context, streams []string) (page, error) {
	subjects := make([]string, len(streams))
	for i, stream := range streams {
		subjects[i] = d.subject(stream)
	}
	return d.get(ctx, map[string]any{"multi_last": subjects, "max_bytes": pageBytes})
}

// oneByOne asks the leader, which takes a request a stream.
func (d *driver) oneByOne(ctx context.Context, streams []string, yield func(events.Commit) bool) error {
	for _, stream := range streams {
		c, ok, err := d.last(ctx, stream)
		if broken := new(events.DamagedError); errors.As(err, &broken) {
			c, ok, err = events.Commit{Stream: stream}, true, nil
		}
		if err != nil {
			return err
		}
		if ok && !yield(c) {
			return nil
		}
	}
	return nil
}

var _ events.EndsDriver = (*driver)(nil)
