package orchestrator

import (
	"bytes"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/deedrun/deed/blob"
	memevents "github.com/deedrun/deed/events/mem"
	"github.com/deedrun/deed/orchestrator/process"
	"github.com/deedrun/deed/task"
)

func TestAnImportPutsBackTheArchiveThatIsGoneAndNoOther(t *testing.T) {
	s := newShelf(t, memevents.New())
	s.archive.Failpoint = func(name string) {
		if name == "archive.after-file" { // it goes on, so that the record names another file than the first
			s.archive.Failpoint = nil
			require.Empty(t, s.ask(process.RestartFrom{Address: "work"}).Error)
		}
	}
	_, err := s.archiveIt()
	require.ErrorContains(t, err, "it is running")
	s.report("p", task.Result{Address: "work", Generation: 1, Attempt: 1, Tasks: task.Span(0, 3), Outcome: task.Done})
	s.step()
	file := s.exported()
	r, _, err := s.archive.Closed(s.ctx, "p")
	require.NoError(t, err)
	require.NotEqual(t, "archives/p.tar.gz", r.Archive.Key)
	before := s.tell("p")

	require.NoError(t, s.archive.Blobs.Remove(s.ctx, r.Archive.Key))
	all := unpacked(t, file)
	all[0].data = strings.Replace(all[0].data, `"deed": "`, `"deed": "v0.0.1 `, 1)
	_, _, err = s.archive.Import(s.ctx, bytes.NewReader(packed(t, all)), ada, s.now)
	require.ErrorIs(t, err, blob.ErrNotFound)
	require.ErrorContains(t, err, "holds the same history in other bytes")
	_, changed, err := s.archive.Import(s.ctx, bytes.NewReader(file), ada, s.now)
	require.NoError(t, err)
	require.False(t, changed)
	require.Equal(t, before, s.tell("p"))
}

func TestWhatIsSweptAsGarbageWhileItIsImportedIsPutBack(t *testing.T) {
	s := newShelf(t, memevents.New())
	file := s.exported()
	there := newArchive(t, memevents.New())
	there.Failpoint = func(name string) {
		if name == "import.after-lists" {
			require.NoError(t, there.Blobs.Remove(s.ctx, "archives/p.tar.gz"))
		}
	}
	_, changed, err := there.Import(s.ctx, bytes.NewReader(file), ada, s.now)
	require.NoError(t, err)
	require.True(t, changed)
	require.Equal(t, s.before, tellAll(t, there, "p"))
}
