package orchestrator

import (
	"log/slog"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/deedrun/deed/blob"
	"github.com/deedrun/deed/events"
	memevents "github.com/deedrun/deed/events/mem"
	"github.com/deedrun/deed/task"
)

// interrupted does something that is killed before anything is forgotten.
func (s *shelf) interrupted(do func() error) {
	s.t.Helper()
	s.driver.before = "truncate"
	require.ErrorIs(s.t, do(), errCrash)
	s.driver.before = ""
}

func TestAHistoryThatIsStillInTheStreamIsNotForgottenOnceItsArchiveIsGone(t *testing.T) {
	s := newShelf(t, memevents.New())
	s.interrupted(func() error { _, err := s.archiveIt(); return err })
	require.NoError(t, s.archive.Blobs.Remove(s.ctx, "archives/p.tar.gz"))
	_, err := s.archiveIt()
	require.ErrorIs(t, err, blob.ErrNotFound)
	require.ErrorContains(t, err, `process "p" stays in the event store`)
	require.Equal(t, s.before, s.tell("p"))
}

func TestTheKeeperFinishesWhatWasInterrupted(t *testing.T) {
	onEvery(t, func(t *testing.T, driver func() events.Driver) {
		s := newShelf(t, driver())
		s.keep("*", time.Hour, time.Hour)
		step := func() {
			t.Helper()
			_, err := (&Keeper{Archive: s.archive, Log: slog.New(slog.DiscardHandler)}).step(s.ctx, s.now)
			require.NoError(t, err)
		}
		s.pass(2 * time.Hour)
		s.interrupted(func() error { _, err := s.archiveIt(); return err })
		due, err := s.archive.EndedBefore(s.ctx, s.now, "")
		require.NoError(t, err)
		require.Len(t, due, 1, "so does who archives what ended before")
		step()
		require.Equal(t, []string{archivedType}, s.stream())
		due, err = s.archive.EndedBefore(s.ctx, s.now, "")
		require.NoError(t, err)
		require.Empty(t, due)

		s.interrupted(func() error { _, err := s.archive.Remove(s.ctx, "p", ada, s.now); return err })
		require.Len(t, s.stream(), 2)
		step()
		require.Equal(t, []string{removedType}, s.stream())
		names, err := s.archive.Blobs.Names(s.ctx, archiveFolder)
		require.NoError(t, err)
		require.Empty(t, names)
	})
}

func TestALateReportOfARemovedProcessChangesNothing(t *testing.T) {
	for name, restart := range map[string]bool{"by an owner that knew the process": false, "by one that did not": true} {
		t.Run(name, func(t *testing.T) {
			s := newShelf(t, memevents.New())
			_, err := s.archiveIt()
			require.NoError(t, err)
			_, err = s.archive.Remove(s.ctx, "p", ada, s.now)
			require.NoError(t, err)
			if restart {
				s.restart()
			}
			s.report("p", done(task.Of(0)))
			s.step()
			waiting, err := s.inbox.Pending(s.ctx, "p")
			require.NoError(t, err)
			require.Zero(t, waiting)
			require.Empty(t, s.quarantined())
		})
	}
}
