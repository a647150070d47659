package orchestrator

import (
	"context"
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

func day(t time.Time) string { return t.Local().Format(time.DateOnly) }
