package orchestrator

import (
	"context"
	"encoding/json"
	"fmt"

	"github.com/deedrun/deed/events"
	"github.com/deedrun/deed/orchestrator/process"
)

// Types of records that the shell puts into the stream of a process.
const (
	archivedType = "process-archived"
	removedType  = "process-removed"
)

// closingSchema numbers the form of the records that close a stream.
const closingSchema = 1

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
		return &process.RefusedError{Process: k.archived.Summary.ID, Reason: fmt.Sprintf(
			"it was archived on %s%s: its history is closed; start it again under another ID", day(k.archived.At), k.archived.Asked)}
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

func (r *Removed) refusal() *process.RefusedError {
	return &process.RefusedError{
		Process: r.Summary.ID, Reason: "it is gone, and its ID stays taken; start it under another one",
		Differs: []string{fmt.Sprintf("it was removed on %s%s", day(r.At), r.Asked)},
	}
}

// Closed says whether a process was archived, or removed after that. Of a
// process that is neither, or that nobody started, both are nil.
func (a *Archive) Closed(ctx context.Context, id string) (*Archived, *Removed, error) {
	k, err := closed(ctx, a.Events, id)
	return k.archived, k.removed, err
}

// Refusal is the *process.RefusedError of any command that would change a
// process which was archived or removed; nil for others.
func (a *Archive) Refusal(ctx context.Context, id string) error {
	k, err := closed(ctx, a.Events, id)
	if err != nil {
		return err
	}
	if refused := k.refusal(); refused != nil {
		return refused
	}
	return nil
}
