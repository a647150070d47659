package esdb

import (
	"context"
	"fmt"

	"github.com/EventStore/EventStore-Client-Go/v4/esdb"

	"github.com/deedrun/deed/events"
)

// Truncate implements [events.Driver]: it sets $tb in the stream's metadata and
// leaves the rest of them as they are. The server hides what is before that from
// readers of the stream at once; from $all, and so from subscriptions, it
// vanishes with the next scavenge, which also frees the disk.
func (d *driver) Truncate(ctx context.Context, stream string, before uint64) error {
	if err := d.truncate(ctx, stream, before); err != nil {
		return fmt.Errorf("truncate stream %q: %w", stream, d.failure(ctx, err))
	}
	return nil
}

func (d *driver) truncate(ctx context.Context, stream string, before uint64) error {
	keep, ok, err := d.last(ctx, stream)
	if err != nil || !ok {
		return err
	}
	if keep.Version() > before {
		err = d.read(ctx, stream, before, func(c events.Commit) bool {
			keep = c
			return false
		})
		if err != nil {
			return err
		}
	}
	meta, err := d.metadata(ctx, stream)
	if err != nil || keep.First == 0 || meta.TruncateBefore() != nil && *meta.TruncateBefore() >= keep.First {
		return err
	}
	meta.SetTruncateBefore(keep.First)
	ctx, cancel := context.WithTimeout(ctx, d.settings.within)
	defer cancel()
	return d.call(ctx, func(ctx context.Context, client *esdb.Client) error {
		_, err := client.SetStreamMetadata(ctx, d.settings.prefix+stream, esdb.AppendToStreamOptions{ExpectedRevision: esdb.Any{}}, *meta)
		return err
	})
}

// metadata are those of a stream; empty ones if it has none.
func (d *driver) metadata(ctx context.Context, stream string) (meta *esdb.StreamMetadata, err error) {
	err = d.ask(ctx, func(ctx context.Context, client *esdb.Client) error {
		var err error
		meta, err = client.GetStreamMetadata(ctx, d.settings.prefix+stream, esdb.ReadStreamOptions{From: esdb.End{}, Direction: esdb.Backwards})
		if noStream(err) {
			meta, err = &esdb.StreamMetadata{}, nil
		}
		return err
	})
	return meta, err
}
