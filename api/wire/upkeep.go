package wire

import (
	"time"

	"github.com/deedrun/deed/orchestrator"
	"github.com/deedrun/deed/task"
)

// Archived is a process whose history was moved into a file, or brought here in one.
type Archived struct {
	ID      string `json:"id"`
	Archive string `json:"archive,omitempty" doc:"The key of the file."`
	Bytes   int64  `json:"bytes,omitempty"`
	Events  uint64 `json:"events,omitempty"`
	Changed bool   `json:"changed" doc:"false: it was so already."`
	Removed bool   `json:"removed,omitempty"`
}

// ArchivedOf tells of an archive.
func ArchivedOf(r orchestrator.Archived, changed bool) Archived {
	return Archived{ID: r.Summary.ID, Archive: r.Archive.Key, Bytes: r.Archive.Size, Events: r.Events, Changed: changed}
}

// Dues lists what is to be archived, and which archives are to be removed.
type Dues struct {
	Due []orchestrator.Due `json:"due"`
}

// Keep is how long processes of a definition are to be kept.
type Keep struct {
	By           string        `json:"by,omitempty" maxLength:"256"`
	Reason       string        `json:"reason,omitempty" maxLength:"4096"`
	ArchiveAfter task.Duration `json:"archiveAfter" doc:"Since the end of a process, such as 720h."`
	RemoveAfter  task.Duration `json:"removeAfter,omitempty" doc:"Since it was archived; none: never."`
}

// Retentions lists the settings.
type Retentions struct {
	Retention []orchestrator.Retention `json:"retention"`
}

// Quarantined is a message that could not be used.
type Quarantined struct {
	Number uint64    `json:"number"`
	Since  time.Time `json:"since"`
	task.Quarantined
}

// QuarantineList is the messages of the quarantine.
type QuarantineList struct {
	Messages []Quarantined `json:"messages"`
}

// Retried is messages of the quarantine that were sent again.
type Retried struct {
	Retried []uint64 `json:"retried"`
}

// Views lists what is stored of views.
type Views struct {
	Views []orchestrator.ViewStatus `json:"views"`
}
