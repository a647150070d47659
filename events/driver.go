package events

import (
	"context"
	"iter"
)

// Driver is what a backend implements; callers use [Store]. What every driver
// has to do is tested by events/storetest.
type Driver interface {
	// Append stores the commit if the stream is at the expected version, and
	// returns the new one; else *[ConflictError]. It need not recognise retries:
	// Store does.
	Append(ctx context.Context, stream string, expected Expected, c Commit) (uint64, error)

	// Read yields the commits of a stream from the one that holds event after+1 on.
	Read(ctx context.Context, stream string, after uint64) iter.Seq2[Commit, error]

	// Last is the stream's last commit; ok is false if there is none.
	Last(ctx context.Context, stream string) (c Commit, ok bool, err error)

	// Subscribe yields every commit of streams whose name starts with prefix,
	// stored ones first and then new ones as they come, in one order, after the
	// checkpoint, until ctx ends. A checkpoint beyond the last commit is an error:
	// it comes from another backend.
	Subscribe(ctx context.Context, prefix string, after Checkpoint) (Subscription, error)

	// Streams lists the streams that exist and whose name starts with prefix,
	// sorted, without reading them.
	Streams(ctx context.Context, prefix string) ([]string, error)

	// Truncate forgets the commits of a stream that end at or before version
	// before, for readers of the stream at once, for subscribers at the latest when
	// the backend clears up. The last commit always stays; doing it again is
	// harmless.
	Truncate(ctx context.Context, stream string, before uint64) error

	// Close lets go of what the driver holds, once the Store has stopped its
	// subscriptions. What was stored stays.
	Close() error
}

// EndsDriver is a Driver that reads the ends of many streams for less than one
// by one, as [Store.Ends] gives them.
type EndsDriver interface {
	Ends(ctx context.Context, prefix string) iter.Seq2[Commit, error]
}

// Subscription is a feed of commits for one goroutine.
type Subscription interface {
	// Next waits for the next commit; ready is false when wait is false, everything
	// that was stored at Subscribe has been fed, and nothing more has arrived. An
	// error other than its own ctx's is final: subscribe again from the last
	// checkpoint.
	Next(ctx context.Context, wait bool) (c Commit, ready bool, err error)

	// Stop ends it, from any goroutine; Next then returns [ErrStopped].
	Stop()
}
