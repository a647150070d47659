package orchestrator

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"hash"
	"io"
	"time"

	"github.com/deedrun/deed/blob"
	"github.com/deedrun/deed/events"
	"github.com/deedrun/deed/internal/amount"
	"github.com/deedrun/deed/orchestrator/process"
	"github.com/deedrun/deed/task"
)

// sum makes the reference of a blob of its bytes.
type sum struct {
	hash hash.Hash
	size int64
	key  string
}

func newSum(key string) *sum { return &sum{hash: sha256.New(), key: key} }

func (s *sum) Write(p []byte) (int, error) {
	s.size += int64(len(p))
	return s.hash.Write(p)
}

func (s *sum) ref() task.Ref {
	return task.Ref{Key: s.key, Size: s.size, SHA256: hex.EncodeToString(s.hash.Sum(nil))}
}

// ArchiveFileError is a file that is no archive, or not a whole one.
type ArchiveFileError struct{ err error }

func (e *ArchiveFileError) Error() string { return e.err.Error() }
func (e *ArchiveFileError) Unwrap() error { return e.err }

// Import takes in the file of an archive, which is read several times. The
// process is archived here from then on: it is listed and shown as where it
// comes from. The same file again changes nothing, finishes what was left
// undone, and puts back what has been lost of the archive; a process with this
// ID and another history is a *process.RefusedError, and nothing was stored.
func (a *Archive) Import(ctx context.Context, file io.ReadSeeker, who process.Asked, at time.Time) (r Archived, changed bool, err error) {
	s, err := readArchive(file, visitor{})
	if err != nil {
		return r, false, &ArchiveFileError{err}
	}
	for conflicts := 0; ; conflicts++ {
		there, err := a.conflicting(ctx, s)
		if err != nil {
			return r, false, err
		}
		if there.live { // it has never left
			return Archived{Summary: s.summary, Events: s.state.Version, History: s.digest}, false, nil
		}
		if there.archived != nil { // by somebody before, or just now: then what was stored is looked at once more
			if err := a.restore(ctx, file, *there.archived); err != nil {
				return *there.archived, changed, err
			}
			return *there.archived, changed, a.storeManifests(ctx, there.archived.Archive)
		}
		ref, err := a.storeFile(ctx, file, s)
		if err != nil {
			return r, false, err
		}
		a.failpoint("import.after-file")
		if err := a.storeManifests(ctx, ref); err != nil {
			return r, false, err
		}
		a.failpoint("import.after-lists")
		r = Archived{Archive: ref, History: s.digest, Events: s.state.Version, Summary: s.summary, Imported: true, Asked: who, At: at}
		err = a.close(ctx, s.state.ID, events.NoStream(), archivedType, r)
		if err == nil {
			changed = true
			continue // what an import left long ago was garbage until now, and may have been removed
		}
		if !isConflict(err) || conflicts >= conflictsInARow {
			return r, changed, err
		}
	}
}

// restore stores the file of an archive that is gone, in the place that its
// record names. It has to be that very file.
func (a *Archive) restore(ctx context.Context, file io.ReadSeeker, r Archived) error {
	err := a.verify(ctx, r.Archive, r.Summary.ID, r.History)
	if !errors.Is(err, blob.ErrNotFound) {
		return err
	}
	if _, err := file.Seek(0, io.SeekStart); err != nil {
		return err
	}
	sum := newSum(r.Archive.Key)
	if _, err := io.Copy(sum, file); err != nil {
		return err
	}
	if sum.ref() != r.Archive {
		return fmt.Errorf("%w; the file that is imported holds the same history in other bytes, and cannot take its place", err)
	}
	ref, err := a.createFrom(ctx, r.Archive.Key, file)
	if err == nil && ref != r.Archive {
		err = errors.New("the file changed while it was imported")
	}
	if err != nil {
		return err
	}
	return a.Blobs.Sync(ctx, ref.Key)
}

// here is what there is of the history that is imported.
type here struct {
	archived *Archived
	live     bool
}

// conflicting refuses a history whose ID another one has.
func (a *Archive) conflicting(ctx context.Context, s story) (here, error) {
	id := s.state.ID
	k, err := closed(ctx, a.Events, id)
	if err != nil {
		return here{}, err
	}
	there := ""
	switch {
	case k.removed != nil:
		return here{}, k.refusal()
	case k.archived != nil && k.archived.History == s.digest:
		return here{archived: k.archived}, nil
	case k.archived != nil:
		there = toldBriefly(k.archived.Summary, k.archived.Events)
	default:
		mine, err := a.story(ctx, id)
		switch {
		case errors.Is(err, process.ErrNotStarted):
			return here{}, nil
		case err != nil:
			return here{}, err
		case mine.digest == s.digest:
			return here{live: true}, nil
		}
		there = toldBriefly(mine.summary, mine.state.Version)
	}
	return here{}, &process.RefusedError{Process: id, Reason: "another process has this ID here", Differs: []string{
		"here: " + there, "in the file: " + toldBriefly(s.summary, s.state.Version),
	}}
}

func toldBriefly(s Summary, version uint64) string {
	text := fmt.Sprintf("%s, %s, started %s", s.Name, s.Status, s.StartedAt.Local().Format(time.DateTime))
	if !s.EndedAt.IsZero() {
		text += ", ended " + s.EndedAt.Local().Format(time.DateTime)
	}
	return text + ", " + amount.Of(int(version), "event")
}

// storeFile stores the file under its name, unless it is there.
func (a *Archive) storeFile(ctx context.Context, file io.ReadSeeker, s story) (task.Ref, error) {
	id := s.state.ID
	for _, key := range s.archiveKeys() {
		if ref, err := a.found(ctx, key, s); err == nil {
			return ref, nil
		}
		ref, err := a.createFrom(ctx, key, file)
		if errors.Is(err, blob.ErrExists) {
			continue // by something that is not this history
		}
		if err == nil {
			err = a.Blobs.Sync(ctx, ref.Key)
		}
		if err == nil {
			err = a.verify(ctx, ref, id, s.digest)
		}
		return ref, err
	}
	return task.Ref{}, fmt.Errorf("import process %q: its names are taken by what is not its archive; look at %s%s.*, and remove what is of no use", id, archiveFolder, id)
}

// createFrom stores a file, from its start.
func (a *Archive) createFrom(ctx context.Context, key string, file io.ReadSeeker) (task.Ref, error) {
	if _, err := file.Seek(0, io.SeekStart); err != nil {
		return task.Ref{}, err
	}
	return a.create(ctx, key, func(to io.Writer) error {
		_, err := io.Copy(to, file)
		return err
	})
}

// storeManifests stores the lists that an archive carries under their own keys.
func (a *Archive) storeManifests(ctx context.Context, ref task.Ref) error {
	_, err := a.read(ctx, ref, visitor{manifest: func(list task.Ref, from io.Reader) error {
		copied := func(to io.Writer) error {
			_, err := io.Copy(to, from)
			return err
		}
		var err error
		if kind, _ := blob.Classify(list.Key); kind == blob.KindInput { // which others may share
			err = a.Blobs.StoreContent(ctx, list, copied)
		} else if _, err = a.create(ctx, list.Key, copied); errors.Is(err, blob.ErrExists) {
			err = nil
		}
		if err != nil {
			return err
		}
		return a.isThere(ctx, list)
	}})
	return err
}

// isThere reads a blob to its end: it has to be the one that is referred to.
func (a *Archive) isThere(ctx context.Context, ref task.Ref) error {
	r, err := a.Blobs.Open(ctx, ref)
	if err != nil {
		return err
	}
	defer r.Close()
	_, err = io.Copy(io.Discard, r)
	return err
}
