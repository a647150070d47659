// Package events is an event store: streams of events, appended with an
// expected version, read back in order, and subscribed to.
//
// The unit of writing is the commit: all events of one append, stored whole or
// not at all. A stream's version is the number of its events. Acknowledged
// means stored: when Append returns, a power cut does not take the commit.
//
//	Append ──► stream "process-1"  [commit][commit]… ──► Read, Version, Last
//	           stream "process-2"  [commit]…
//	                    │ one order of all commits
//	                    ▼
//	           Subscribe(prefix, checkpoint)
//
// The store moves {Type, Schema, Data} and looks into none of it but to see that
// the data is JSON. It keeps no state of its own: any number of Stores may share
// one backend, and the expected version is the only thing that orders their
// appends.
//
// A stream's name has 1 to 128 bytes ([CheckStream]), a commit ID and a type at
// most 256. How large a commit may be is the backend's: see [ErrTooLarge].
package events

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
