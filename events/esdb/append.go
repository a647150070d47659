package esdb

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/EventStore/EventStore-Client-Go/v4/esdb"

	"github.com/deedrun/deed/events"
	"github.com/deedrun/deed/internal/eventdriver"
)

// appendWithin bounds an append with all its requests.
const appendWithin = 30 * time.Second

// Append implements [events.Driver].
//
// The version of the stream comes from the cache, or from the server if the
// cache has none or another one. The append that follows is refused if somebody
// came in between; then the version is read anew and decides. When the answer is
// lost, an append at an exact version is sent once more: the server recognises
// the events if it has them.
func (d *driver) Append(ctx context.Context, stream string, expected events.Expected, c events.Commit) (uint64, error) {
	version, err := d.append(ctx, stream, expected, c)
	if err == nil {
		return version, nil
	}
	var conflict *events.ConflictError
	if err = d.failure(ctx, err); errors.As(err, &conflict) {
		return 0, err
	}
	return 0, fmt.Errorf("append to stream %q: %w", stream, err)
}

func (d *driver) append(ctx context.Context, stream string, expected events.Expected, c events.Commit) (uint64, error) {
	ctx, cancel := context.WithTimeout(ctx, appendWithin)
	defer cancel()
	want, exact := expected.Version()
	c.Stream = stream
	again := false
	for {
		version, err := d.version(ctx, stream, expected)
		if err != nil {
			return 0, err
		}
		if exact && version != want {
			return 0, &events.ConflictError{Stream: stream, Expected: expected, Actual: version}
		}
		c.First = version
		err = d.write(ctx, c, again)
		if err == nil {
			d.heads.Put(stream, eventdriver.Head{Version: c.Version()})
			return c.Version(), nil
		}
		d.heads.Drop(stream) // it was wrong, or what was written is unknown
		switch {
		case conflicting(err):
			now, err := d.version(ctx, stream, events.Any())
			if err != nil {
				return 0, err
			}
			if now == version {
				if err := pause(ctx, firstPause); err != nil {
					return 0, fmt.Errorf("the server refuses the version that it reports: %w", err)
				}
			}
		case lost(err) && !again && ctx.Err() == nil && (exact || endedEarly(err)):
			again = true
		default:
			return 0, err
		}
	}
}

// version is that of the stream: the one that is remembered, if that fits what is
// expected.
func (d *driver) version(ctx context.Context, stream string, expected events.Expected) (uint64, error) {
	if known, ok := d.heads.Get(stream, expected); ok {
		return known.Version, nil
	}
	last, ok, err := d.lastEvent(ctx, stream)
	if err != nil || !ok {
		return 0, err
	}
	d.heads.Put(stream, eventdriver.Head{Version: last.EventNumber + 1})
	return last.EventNumber + 1, nil
}

// write appends the commit to follow version c.First; again says that an answer
// to it was lost before.
func (d *driver) write(ctx context.Context, c events.Commit, again bool) error {
	list, size, err := encode(c)
	if err != nil {
		return err
	}
	if most := d.settings.maxAppend; size > most {
		return fmt.Errorf("%w: %d events of %d bytes together with their metadata, at most %d fit: append fewer at a time, or raise MaxAppendSize of the server and then maxAppendSize in the URL",
			events.ErrTooLarge, len(list), size, most)
	}
	var expected esdb.ExpectedRevision = esdb.NoStream{}
	if c.First > 0 {
		expected = esdb.Revision(c.First - 1)
	} else if err := d.register(ctx, c.Stream); err != nil {
		return err
	}
	result, err := d.appendEvents(ctx, c.Stream, expected, list)
	switch {
	case tooLarge(err), endedEarly(err) && again && size > serverAppend:
		return fmt.Errorf("%w: %d events of %d bytes together with their metadata, more than the server takes: its MaxAppendSize is below the URL's maxAppendSize of %d; make them equal",
			events.ErrTooLarge, len(list), size, d.settings.maxAppend)
	case endedEarly(err):
		return fmt.Errorf("the server ended the append of %d bytes before it had all of it (if it does so again, its MaxAppendSize is below the URL's maxAppendSize of %d): %w", size, d.settings.maxAppend, err)
	case err != nil:
		return err
	case result.NextExpectedVersion+1 != c.Version():
		return damaged("the server numbered the last event %d instead of %d: the stream was deleted there and goes on behind what was deleted; begin under another name", result.NextExpectedVersion+1, c.Version())
	}
	return nil
}

func (d *driver) appendEvents(ctx context.Context, stream string, expected esdb.ExpectedRevision, list []esdb.EventData) (result *esdb.WriteResult, err error) {
	ctx, cancel := context.WithTimeout(ctx, d.settings.within)
	defer cancel()
	err = d.call(ctx, func(ctx context.Context, client *esdb.Client) error {
		var err error
		result, err = client.AppendToStream(ctx, d.settings.prefix+stream, esdb.AppendToStreamOptions{ExpectedRevision: expected}, list...)
		return err
	})
	return result, err
}
