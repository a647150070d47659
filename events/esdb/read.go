package esdb

import (
	"context"
	"errors"
	"fmt"
	"io"
	"iter"
	"slices"

	"github.com/EventStore/EventStore-Client-Go/v4/esdb"

	"github.com/deedrun/deed/events"
	"github.com/deedrun/deed/internal/eventdriver"
)

const (
	pageEvents = 1000
	pageBytes  = 2 << 20 // a page ends with the event that exceeds it
)

// Read implements [events.Driver]: page by page, so that no connection is held
// while the caller works.
func (d *driver) Read(ctx context.Context, stream string, after uint64) iter.Seq2[events.Commit, error] {
	return func(yield func(events.Commit, error) bool) {
		err := d.read(ctx, stream, after, func(c events.Commit) bool { return yield(c, nil) })
		if err != nil {
			yield(events.Commit{}, fmt.Errorf("read stream %q: %w", stream, d.failure(ctx, err)))
		}
	}
}

func (d *driver) read(ctx context.Context, stream string, after uint64, yield func(events.Commit) bool) error {
	var j joiner
	from := after
	for first := true; ; first = false {
		list, more, err := d.page(ctx, stream, from)
		if err != nil {
			return err
		}
		if first && len(list) > 0 {
			if p, ok := placeOf(list[0]); ok && p.Index > 0 && uint64(p.Index) <= from {
				from -= uint64(p.Index) // the commit that holds event after+1 begins before it
				if list, more, err = d.page(ctx, stream, from); err != nil {
					return err
				}
			}
		}
		for _, e := range list {
			if replaces(e, from) {
				j = joiner{}
			}
			from = e.EventNumber + 1
			c, complete, err := j.add(stream, e)
			if err != nil {
				return err
			}
			if complete && !yield(c) {
				return nil
			}
		}
		if !more {
			if len(list) > 0 {
				d.heads.Put(stream, eventdriver.Head{Version: from})
			}
			return j.torn()
		}
	}
}

// replaces says that an event comes in place of the one that was to come next,
// which has been forgotten since, perhaps with the rest of its commit.
func replaces(e *esdb.RecordedEvent, next uint64) bool {
	if e.EventNumber <= next {
		return false
	}
	p, ok := placeOf(e)
	return ok && p.Begins && p.Index == 0
}

// page reads events of a stream from a revision on; more says that others may
// follow. A stream that does not exist has none.
func (d *driver) page(ctx context.Context, stream string, from uint64) (list []*esdb.RecordedEvent, more bool, err error) {
	err = d.ask(ctx, func(ctx context.Context, client *esdb.Client) error {
		list, more = nil, false
		got, cut, err := d.collect(ctx, client, stream, esdb.ReadStreamOptions{From: esdb.Revision(from)}, pageEvents)
		list, more = got, cut || len(got) == pageEvents
		return err
	})
	return list, more, err
}

// collect reads at most count events of a stream; cut says that it stopped
// before since they are many bytes.
func (d *driver) collect(ctx context.Context, client *esdb.Client, stream string, o esdb.ReadStreamOptions, count uint64) (list []*esdb.RecordedEvent, cut bool, err error) {
	feed, err := client.ReadStream(ctx, d.settings.prefix+stream, o, count)
	if err != nil {
		return nil, false, err
	}
	return drain(feed)
}

// drain collects the events of a read and ends it.
func drain(feed *esdb.ReadStream) (list []*esdb.RecordedEvent, cut bool, err error) {
	defer feed.Close()
	for size := 0; size <= pageBytes; {
		resolved, err := feed.Recv()
		switch {
		case errors.Is(err, io.EOF), err != nil && noStream(err):
			return list, false, nil
		case err != nil:
			return nil, false, err
		}
		e := resolved.OriginalEvent()
		if e == nil {
			return nil, false, errors.New("the server sent an answer without an event")
		}
		list = append(list, e)
		size += len(e.Data) + len(e.UserMetadata)
	}
	return list, true, nil
}

// lastEvent is the last event of a stream; ok is false if there is none.
func (d *driver) lastEvent(ctx context.Context, stream string) (e *esdb.RecordedEvent, ok bool, err error) {
	list, err := d.lastEvents(ctx, stream, 1)
	if err != nil || len(list) == 0 {
		return nil, false, err
	}
	return list[0], true, nil
}

// lastEvents are the last events of a stream, the last one first.
func (d *driver) lastEvents(ctx context.Context, stream string, count uint64) (list []*esdb.RecordedEvent, err error) {
	err = d.ask(ctx, func(ctx context.Context, client *esdb.Client) (err error) {
		list, _, err = d.collect(ctx, client, stream, esdb.ReadStreamOptions{From: esdb.End{}, Direction: esdb.Backwards}, count)
		return err
	})
	return list, err
}

// Last implements [events.Driver]: the last event says where its commit begins.
func (d *driver) Last(ctx context.Context, stream string) (events.Commit, bool, error) {
	c, ok, err := d.last(ctx, stream)
	if err != nil {
		return events.Commit{}, false, fmt.Errorf("read the end of stream %q: %w", stream, d.failure(ctx, err))
	}
	return c, ok, nil
}

// lastFew is how many events are read in the hope that the last commit has no more.
const lastFew = 8

func (d *driver) last(ctx context.Context, stream string) (c events.Commit, ok bool, err error) {
	list, err := d.lastEvents(ctx, stream, lastFew)
	if err != nil || len(list) == 0 {
		return events.Commit{}, false, err
	}
	e := list[0]
	d.heads.Put(stream, eventdriver.Head{Version: e.EventNumber + 1})
	p, ours := placeOf(e)
	if !ours || p.Count <= len(list) {
		var j joiner
		for _, e := range slices.Backward(list[:max(p.Count, 1)]) {
			if c, ok, err = j.add(stream, e); err != nil {
				return events.Commit{}, false, err
			}
		}
		return c, ok, j.torn()
	}
	err = d.read(ctx, stream, p.First, func(first events.Commit) bool {
		c = first
		return false
	})
	switch {
	case err != nil:
		return events.Commit{}, false, err
	case c.Begins && c.First > p.First: // the stream has been replaced meanwhile
		return d.last(ctx, stream)
	case c.ID != p.Commit || c.First != p.First:
		return events.Commit{}, false, damaged("stream %q: event %d belongs to commit %q, which does not stand where it says: the stored history is damaged; restore it from a copy", stream, e.EventNumber+1, p.Commit)
	}
	return c, true, nil
}
