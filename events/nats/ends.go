package nats

import (
	"context"
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
func (d *Driver) Ends(ctx context.Context, prefix string) iter.Seq2[events.Commit, error] {
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

func (d *Driver) ends(ctx context.Context, streams []string, yield func(events.Commit) bool) error {
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
			return d.endsOfLeader(ctx, streams, yield)
		}
		answered := make(map[string]bool, len(page.messages))
		for _, m := range page.messages {
			c, err := d.commit(m.subject, m.seq, m.data)
			if err != nil {
				return err
			}
			answered[c.Stream] = true
			if !yield(c) {
				return nil
			}
		}
		if page.more { // the others of them were too many bytes
			streams = slices.DeleteFunc(slices.Clone(streams), func(s string) bool { return answered[s] })
		} else {
			streams = streams[len(asked):]
		}
	}
	return nil
}

// lasts reads the last messages of streams, as many as a page holds.
func (d *Driver) lasts(ctx context.Context, streams []string) (page, error) {
	subjects := make([]string, len(streams))
	for i, stream := range streams {
		subjects[i] = d.subject(stream)
	}
	return d.get(ctx, map[string]any{"multi_last": subjects, "max_bytes": pageBytes})
}

// endsOfLeader asks the leader, which takes a request a stream.
func (d *Driver) endsOfLeader(ctx context.Context, streams []string, yield func(events.Commit) bool) error {
	for _, stream := range streams {
		c, ok, err := d.last(ctx, stream)
		if err != nil {
			return err
		}
		if ok && !yield(c) {
			return nil
		}
	}
	return nil
}

var _ events.EndsDriver = (*Driver)(nil)
