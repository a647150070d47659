package orchestrator

import (
	"context"
	"encoding/json"
	"fmt"
	"iter"
	"time"

	"github.com/deedrun/deed/blob"
	"github.com/deedrun/deed/events"
	"github.com/deedrun/deed/orchestrator/process"
	"github.com/deedrun/deed/task"
)

// Commits is what histories are read from: an event store, which has those that
// have not been archived, or an [Archive], which has all.
type Commits interface {
	ReadCommits(ctx context.Context, stream string, after uint64) iter.Seq2[events.Commit, error]
}

// Archive moves the histories of ended processes out of the event store, each
// into a file that is a blob, and reads them from there as if they were where
// they had been. In the stream stays one record that says where the history
// went: it keeps the ID taken, and the process listed.
//
// All it does may be killed anywhere, done again, and done by several at once:
// the file is written before the record, and the record, which the expected
// version fences, before anything is forgotten.
type Archive struct {
	Events *events.Store
	Blobs  *blob.Store

	// Failpoint, if set, is called where a crash is worth testing.
	Failpoint func(name string)
}

func (a *Archive) failpoint(name string) {
	if a.Failpoint != nil {
		a.Failpoint(name)
	}
}

// archiveFolder begins the names of the files.
const archiveFolder = "archives/"

// closingSchema numbers the form of the records that close a stream.
const closingSchema = 1

// Archived is the record that stands in the stream of an archived process, in
// place of its history.
type Archived struct {
	Archive  task.Ref `json:"archive"` // the file
	History  string   `json:"history"` // SHA-256 of its commits, as they stand in the file
	Events   uint64   `json:"events"`
	Summary  Summary  `json:"summary"`
	Imported bool     `json:"imported,omitempty"` // the history comes from another store
	process.Asked
	At time.Time `json:"at"`
}

// Removed is the record that stands in the stream of a process whose archive
// was removed. Of the process it is all that is left.
type Removed struct {
	Archive task.Ref `json:"archive"` // the file that is gone
	Summary Summary  `json:"summary"`
	process.Asked
	At time.Time `json:"at"`
}

// RemovedError says that nothing is left of a process but its ID.
type RemovedError struct{ Removed }

func (e *RemovedError) Error() string {
	return fmt.Sprintf("process %q was removed on %s%s; it %s on %s, and its ID stays taken",
		e.Summary.ID, day(e.At), e.Asked, e.Summary.Status, day(e.Summary.EndedAt))
}

// refusal is what a command gets that would change an archived process.
func (r *Archived) refusal() *process.RefusedError {
	return &process.RefusedError{Process: r.Summary.ID, Reason: fmt.Sprintf(
		"it was archived on %s%s: its history is closed; start it again under another ID", day(r.At), r.Asked)}
}

func (r *Removed) refusal() *process.RefusedError {
	return &process.RefusedError{
		Process: r.Summary.ID, Reason: "it is gone, and its ID stays taken; start it under another one",
		Differs: []string{fmt.Sprintf("it was removed on %s%s", day(r.At), r.Asked)},
	}
}

func day(t time.Time) string { return t.Local().Format(time.DateOnly) }

// closing is the record that closes a stream: one of the two is set, or none.
type closing struct {
	archived *Archived
	removed  *Removed
	version  uint64 // of the stream, with the record
}

// refusal is what a command gets that would change such a process; nil if the
// stream is open.
func (k closing) refusal() *process.RefusedError {
	switch {
	case k.archived != nil:
		return k.archived.refusal()
	case k.removed != nil:
		return k.removed.refusal()
	}
	return nil
}

// summary is what the record says of the process.
func (k closing) summary() Summary {
	if k.removed != nil {
		return k.removed.Summary
	}
	return k.archived.Summary
}

// closingOf reads the record of a commit, if it is one that closes a stream.
func closingOf(c events.Commit) (closing, error) {
	if !isClosing(c) {
		return closing{}, nil
	}
	r := c.Events[len(c.Events)-1]
	k, err := closing{version: c.Version()}, error(nil)
	switch {
	case r.Schema != closingSchema:
		err = fmt.Errorf("its schema is %d, this version of deed reads %d", r.Schema, closingSchema)
	case r.Type == archivedType:
		k.archived = &Archived{}
		err = json.Unmarshal(r.Data, k.archived)
	default:
		k.removed = &Removed{}
		err = json.Unmarshal(r.Data, k.removed)
	}
	if err != nil {
		return closing{}, fmt.Errorf("stream %q: read the record %s: %w", c.Stream, r.Type, err)
	}
	return k, nil
}

func isClosing(c events.Commit) bool { return closesStream(c.Events[len(c.Events)-1]) }

func closesStream(r events.Record) bool { return r.Type == archivedType || r.Type == removedType }

// closed looks whether the stream of a process is closed. It costs one read.
func closed(ctx context.Context, store *events.Store, id string) (closing, error) {
	last, ok, err := store.Last(ctx, streamPrefix+id)
	if err != nil || !ok {
		return closing{}, err
	}
	return closingOf(last)
}

// record is the stored form of a record that closes a stream.
func record(kind string, v any) (events.Record, error) {
	data, err := json.Marshal(v)
	return events.Record{Type: kind, Schema: closingSchema, Data: data}, err
}
