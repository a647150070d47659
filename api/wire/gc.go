package wire

import (
	"time"

	"github.com/deedrun/deed/blob"
	"github.com/deedrun/deed/task"
)

// GC is what a collection of garbage goes by.
type GC struct {
	Grace    *task.Duration `json:"grace,omitempty" doc:"What is younger is left alone; none: 24h."`
	CacheFor *task.Duration `json:"cacheFor,omitempty" doc:"Results in the cache that nobody used for so long go; none: 720h."`
	Delete   bool           `json:"delete,omitempty" doc:"Remove what is found; else nothing is changed."`
}

// GCReport is what was found in the blob store.
type GCReport struct {
	Deleted bool          `json:"deleted"` // the garbage was removed; false: it would be
	Grace   task.Duration `json:"grace"`
	Garbage []Garbage     `json:"garbage"`
	Kept    GCCount       `json:"kept"`              // something refers to it, or may yet
	Young   GCCount       `json:"young"`             // nothing refers to it, but it is within the grace period
	Foreign GCCount       `json:"foreign"`           // deed did not write it, and never touches it
	Unread  []GCUnread    `json:"unread,omitempty"`  // processes of which all is kept, as are all inputs
	Changed []string      `json:"changed,omitempty"` // processes that went on meanwhile: left for the next time
}

// Garbage is what there is of one process and kind.
type Garbage struct {
	Process string    `json:"process,omitempty"` // empty: what belongs to no process alone
	Kind    blob.Kind `json:"kind"`
	GCCount
	Oldest time.Time `json:"oldest"`
}

// GCCount is a number of blobs and their size.
type GCCount struct {
	Blobs int   `json:"blobs"`
	Bytes int64 `json:"bytes"`
}

// GCUnread is a process whose references are not known, and why.
type GCUnread struct {
	Process string `json:"process"`
	Error   string `json:"error"`
}

// Total is all the garbage together.
func (r GCReport) Total() (total GCCount) {
	for _, g := range r.Garbage {
		total.Blobs += g.Blobs
		total.Bytes += g.Bytes
	}
	return total
}
