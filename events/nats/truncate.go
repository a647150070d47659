package nats

import (
	"context"
	"errors"
	"fmt"

	"github.com/nats-io/nats.go/jetstream"

	"github.com/deedrun/deed/internal/natsconn"
)

// Truncate implements [events.Driver]: a purge of the subject up to the first
// commit that stays.
func (d *driver) Truncate(ctx context.Context, stream string, before uint64) error {
	if err := d.truncate(ctx, stream, before); err != nil {
		return fmt.Errorf("truncate stream %q: %w", stream, failure(ctx, err))
	}
	return nil
}

func (d *driver) truncate(ctx context.Context, stream string, before uint64) error {
	last, ok, err := d.last(ctx, stream)
	if err != nil || !ok {
		return err
	}
	keep := uint64(last.Checkpoint)
	if last.Version() > before {
		if keep, ok, err = d.search(ctx, stream, before, 1); err != nil || !ok {
			return err
		}
	}
	ctx, cancel := natsconn.Call(ctx, d.nc, callWithin)
	defer cancel()
	err = d.log.Purge(ctx, jetstream.WithPurgeSubject(d.subject(stream)), jetstream.WithPurgeSequence(keep))
	if d.log.CachedInfo().Config.DenyPurge && err != nil {
		return errors.Join(fmt.Errorf("the log %q was made to keep everything (deny_purge): nothing is lost, and nothing is freed; a new log, in another folder or under another name, can forget", d.name), err)
	}
	return err
}
