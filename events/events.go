// Package events is an event store: streams of events, appended with an
// expected version, read back in order, and subscribed to.
//
// The unit of writing is the commit: all events of one append, stored whole or
// not at all. A stream's version is the number of its events. Acknowledged
// means stored: when Append returns, a power cut does not take the commit.
//
// The store moves {Type, Schema, Data} and looks into none of it. It keeps no
// state of its own: any number of Stores may share one backend, and the
// expected version is the only thing that orders their appends.
package events

import (
	"context"
	"errors"
	"fmt"
	"iter"
)

// Record is what an event is to the store: a stable type name, the schema
// number of its data, and the data.
type Record struct {
	Type   string `json:"type"`
	Schema int    `json:"schema"`
	Data   []byte `json:"data"` // JSON
}

// Commit is the events of one append.
type Commit struct {
	ID     string   // chosen by the caller, the same on a retry
	Stream string   // set by the store on what it reads
	First  uint64   // the version of the stream before this commit
	Events []Record // at least one

	// Begins says that the stream begins with this commit: what was before it
	// has been forgotten on purpose, or is about to be. See [Store.Replace].
	Begins bool

	// Checkpoint is where a subscription continues after this commit. Set on
	// what is read.
	Checkpoint Checkpoint
}

// Version of the stream after this commit.
func (c Commit) Version() uint64 { return c.First + uint64(len(c.Events)) }

// Checkpoint is a position in the order of all commits of a backend, opaque to
// callers; zero is the beginning. A view stores it with what it has folded.
type Checkpoint uint64

// Expected is the version that an append requires: NoStream, Exactly or Any.
type Expected struct {
	any     bool
	version uint64
}

// NoStream requires that the stream has no event yet.
func NoStream() Expected { return Expected{} }

// Exactly requires that the stream has exactly version events. Exactly(0) is NoStream.
func Exactly(version uint64) Expected { return Expected{version: version} }

// Any appends to whatever is there. Such an append is not idempotent.
func Any() Expected { return Expected{any: true} }

// Version is the required version; ok is false for Any.
func (e Expected) Version() (version uint64, ok bool) { return e.version, !e.any }

func (e Expected) String() string {
	switch {
	case e.any:
		return "any version"
	case e.version == 0:
		return "no stream"
	}
	return fmt.Sprintf("version %d", e.version)
}

// ConflictError says that a stream was not at the expected version; nothing
// was written. Reload, decide again, append again.
type ConflictError struct {
	Stream   string
	Expected Expected
	Actual   uint64
}

func (e *ConflictError) Error() string {
	return fmt.Sprintf("append to stream %q: expected %s, it is at version %d: somebody else wrote; reload and decide again",
		e.Stream, e.Expected, e.Actual)
}

// ErrTooLarge is wrapped by an Append whose commit exceeds what the backend
// stores in one write. Nothing was written; retrying is pointless.
var ErrTooLarge = errors.New("commit too large")

// ErrUnavailable is wrapped by errors of a backend that cannot be reached. The
// append may or may not have been stored: retry with the same commit ID.
var ErrUnavailable = errors.New("event store unavailable")

// DamagedError says that what is stored is no history any more: something of it
// is missing, altered, or somebody else's. Waiting does not cure it, a copy
// does.
type DamagedError struct{ Err error }

func (e *DamagedError) Error() string { return e.Err.Error() }
func (e *DamagedError) Unwrap() error { return e.Err }

// ErrStopped is what a subscription's Next returns after Stop.
var ErrStopped = errors.New("subscription stopped")

// Driver is what a backend implements. Callers use [Store].
//
// Append stores the commit if the stream's version matches, and returns the
// new version; else *ConflictError. It need not recognise retries: Store does.
// Read yields the commits of a stream from the one holding event `after`+1 on.
// Last is the stream's last commit; ok is false if there is none.
// Subscribe yields every commit of streams whose name starts with prefix,
// stored ones first and then new ones as they come, in one order, after the
// checkpoint, until ctx ends. A checkpoint beyond the last commit is an error:
// it comes from another backend.
// Streams lists the streams that exist and whose name starts with prefix,
// sorted, without reading them.
// Truncate forgets the commits of a stream that end at or before version
// before, for readers of the stream at once, for subscribers at the latest when
// the backend clears up. The last commit always stays; doing it again is
// harmless.
type Driver interface {
	Append(ctx context.Context, stream string, expected Expected, c Commit) (uint64, error)
	Read(ctx context.Context, stream string, after uint64) iter.Seq2[Commit, error]
	Last(ctx context.Context, stream string) (c Commit, ok bool, err error)
	Subscribe(ctx context.Context, prefix string, after Checkpoint) (Subscription, error)
	Streams(ctx context.Context, prefix string) ([]string, error)
	Truncate(ctx context.Context, stream string, before uint64) error
	Close() error
}

// Subscription is a feed of commits for one goroutine. Next waits for the next
// one; ready is false when wait is false, everything that was stored at
// Subscribe has been fed, and nothing more has arrived. An error of Next other than its own ctx's is final: subscribe again
// from the last checkpoint. Stop ends it, from any goroutine.
type Subscription interface {
	Next(ctx context.Context, wait bool) (c Commit, ready bool, err error)
	Stop()
}
