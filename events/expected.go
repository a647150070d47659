package events

import "fmt"

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
