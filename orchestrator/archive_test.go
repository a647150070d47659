package orchestrator

import (
	"context"
	"iter"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/deedrun/deed/blob"
	"github.com/deedrun/deed/events"
	memevents "github.com/deedrun/deed/events/mem"
	"github.com/deedrun/deed/orchestrator/process"
	"github.com/deedrun/deed/task"
)

func TestAnArchivedProcessReadsAsBefore(t *testing.T) {
	onEvery(t, func(t *testing.T, driver func() events.Driver) {
		s := newShelf(t, driver())
		r, changed, err := s.archive.Put(s.ctx, "p", ada, s.now)
		require.NoError(t, err)
		require.True(t, changed)
		require.Equal(t, "archives/p.tar.gz", r.Archive.Key)
		require.Equal(t, []string{archivedType}, s.stream())
		require.Equal(t, s.before, s.tell("p"))
		require.Empty(t, s.snapshots("p"))

		again, changed, err := s.archive.Put(s.ctx, "p", process.Asked{By: "bob"}, s.now.Add(time.Hour))
		require.NoError(t, err)
		require.False(t, changed)
		require.Equal(t, r, again)

		unfinished, err := Unfinished(s.ctx, s.store)
		require.NoError(t, err)
		require.Empty(t, unfinished)
		all, err := summarise(s.ctx, s.store)
		require.NoError(t, err)
		require.Len(t, all, 1)
		require.True(t, all[0].Archived)
		all[0].Archived = false
		require.Equal(t, r.Summary, all[0])

		c := &Client{Events: s.store, Archive: s.archive}
		for state, err := range c.Follow(s.ctx, "p") {
			require.NoError(t, err)
			require.Equal(t, s.before.state, encoded(t, state))
		}
	})
}

func TestOnlyWhatHasEndedIsArchived(t *testing.T) {
	s := newShelf(t, memevents.New())
	s.send("q", fanOut(), 1)
	s.step()
	_, _, err := s.archive.Put(s.ctx, "q", ada, s.now)
	var refused *process.RefusedError
	require.ErrorAs(t, err, &refused)
	require.ErrorContains(t, err, "it is running: only what has ended can be archived")
	_, _, err = s.archive.Put(s.ctx, "nobody", ada, s.now)
	require.ErrorIs(t, err, process.ErrNotStarted)
}

func TestAnArchiveThatWasInterruptedAnywhereIsFinishedByTheNext(t *testing.T) {
	crashes := map[string]func(s *shelf){
		"before the record": func(s *shelf) { s.driver.before = "append" },
		"after the record":  func(s *shelf) { s.driver.after, s.driver.before = "append", "truncate" },
		"before it forgets": func(s *shelf) { s.driver.before = "truncate" },
	}
	for _, point := range []string{"archive.before-file", "archive.after-file", "archive.after-record", "archive.before-snapshots"} {
		crashes["at "+point] = func(s *shelf) {
			s.archive.Failpoint = func(name string) {
				if name == point {
					panic(errCrash)
				}
			}
		}
	}
	for name, crash := range crashes {
		t.Run(name, func(t *testing.T) {
			onEvery(t, func(t *testing.T, driver func() events.Driver) {
				s := newShelf(t, driver())
				crash(s)
				require.ErrorIs(t, crashed(func() error { _, err := s.archiveIt(); return err }), errCrash)
				s.archive.Failpoint, s.driver.before, s.driver.after = nil, "", ""
				require.Equal(t, s.before, s.tell("p"), "whatever was done, nothing is lost")

				_, err := s.archiveIt()
				require.NoError(t, err)
				require.Equal(t, []string{archivedType}, s.stream())
				require.Equal(t, s.before, s.tell("p"))
				require.Empty(t, s.snapshots("p"))
				names, err := s.archive.Blobs.Names(s.ctx, archiveFolder)
				require.NoError(t, err)
				require.Equal(t, []string{"archives/p.tar.gz"}, names)
			})
		})
	}
}

// crashed is the error of what returns one, or panics with one.
func crashed(do func() error) (err error) {
	defer func() {
		if p := recover(); p != nil {
			err = p.(error)
		}
	}()
	return do()
}

func TestManyArchiversAtOnceMakeOneArchive(t *testing.T) {
	onEvery(t, func(t *testing.T, driver func() events.Driver) {
		s := newShelf(t, driver())
		var wg sync.WaitGroup
		results, errs := make([]Archived, 4), make([]error, 4)
		for i := range results {
			wg.Go(func() { results[i], errs[i] = s.archiveIt() })
		}
		wg.Wait()
		for i := range results {
			require.NoError(t, errs[i])
			require.Equal(t, results[0], results[i])
		}
		require.Equal(t, []string{archivedType}, s.stream())
		require.Equal(t, s.before, s.tell("p"))
	})
}

func TestAProcessThatIsMadeToGoAgainMeanwhileIsNotArchived(t *testing.T) {
	onEvery(t, func(t *testing.T, driver func() events.Driver) {
		s := newShelf(t, driver())
		s.archive.Failpoint = func(name string) {
			if name == "archive.after-file" {
				s.archive.Failpoint = nil
				require.Empty(t, s.ask(process.RestartFrom{Address: "work"}).Error)
			}
		}
		_, err := s.archiveIt()
		var refused *process.RefusedError
		require.ErrorAs(t, err, &refused)
		require.ErrorContains(t, err, "it is running")

		s.report("p", task.Result{Address: "work", Generation: 1, Attempt: 1, Tasks: task.Span(0, 3), Outcome: task.Done})
		s.step()
		before := s.tell("p")
		r, err := s.archiveIt()
		require.NoError(t, err)
		require.Regexp(t, `^archives/p\.\d+\.tar\.gz$`, r.Archive.Key, "the other name is that of the history that went on")
		require.Equal(t, before, s.tell("p"))
	})
}

func TestACommandThatWouldChangeAnArchivedProcessIsRefused(t *testing.T) {
	s := newShelf(t, memevents.New())
	_, err := s.archiveIt()
	require.NoError(t, err)
	for name, restart := range map[string]bool{"by an owner that knew the process": false, "by one that did not": true} {
		t.Run(name, func(t *testing.T) {
			if restart {
				s.restart()
			}
			answer := s.ask(process.RestartFrom{Address: "work"})
			require.True(t, answer.Refused)
			require.Contains(t, answer.Error, "it was archived on 2026-01-01 by ada: old: its history is closed; start it again under another ID")
		})
	}
	_, err = Record(s.ctx, s.store, "p", s.now, process.PauseProcess{})
	var refused *process.RefusedError
	require.ErrorAs(t, err, &refused)
	require.Equal(t, s.before, s.tell("p"))
}

func TestTheSameJobAgainAttachesToAnArchivedProcess(t *testing.T) {
	s := newShelf(t, memevents.New())
	_, err := s.archiveIt()
	require.NoError(t, err)
	s.restart()
	replies := s.send("p", fanOut(), 3)
	s.step()
	require.Equal(t, Answer{Version: s.before.version}, s.answer(replies))
	replies = s.send("p", fanOut(), 4)
	s.step()
	require.NotEmpty(t, s.answer(replies).Differs)
}

func TestALateReportOfAnArchivedProcessChangesNothing(t *testing.T) {
	s := newShelf(t, memevents.New())
	_, err := s.archiveIt()
	require.NoError(t, err)
	s.report("p", done(task.Of(0)))
	s.step()
	waiting, err := s.inbox.Pending(s.ctx, "p")
	require.NoError(t, err)
	require.Zero(t, waiting)
	require.Empty(t, s.quarantined())
}

func TestAnArchiveThatIsGoneIsAnErrorThatNamesItAndNoEmptyProcess(t *testing.T) {
	s := newShelf(t, memevents.New())
	r, err := s.archiveIt()
	require.NoError(t, err)
	require.NoError(t, s.archive.Blobs.Remove(s.ctx, r.Archive.Key))
	_, err = Load(s.ctx, s.archive, "p")
	require.ErrorIs(t, err, blob.ErrNotFound)
	require.ErrorContains(t, err, `"archives/p.tar.gz"`)
	_, err = Load(s.ctx, s.store, "p")
	require.ErrorContains(t, err, `"archives/p.tar.gz"`, "who has no blobs says where it is")
	s.restart()
	require.Contains(t, s.ask(process.PauseProcess{}).Error, "archives/p.tar.gz")
}

func TestAListOfWhatAProcessWroteThatIsGoneIsNamed(t *testing.T) {
	s := newShelf(t, memevents.New())
	def := fanOut()
	dataset := task.Dataset{Count: 1, Digest: "d", Manifest: &task.Manifest{Ref: task.Ref{Key: "lists/gone", Size: 3, SHA256: sumOf("abc")}}}
	started, err := process.Decide(process.State{}, process.StartProcess{ID: "q", Definition: def, Inputs: map[string]task.Dataset{"in": dataset}, At: s.now})
	require.NoError(t, err)
	cancelled, err := process.Decide(process.Fold(process.State{}, started...), process.CancelProcess{At: s.now})
	require.NoError(t, err)
	s.commit("q", append(started, cancelled...)...)
	_, _, err = s.archive.Put(s.ctx, "q", ada, s.now)
	require.ErrorContains(t, err, `"lists/gone"`)
	require.NoError(t, s.archive.Blobs.StoreNamed(s.ctx, "lists/gone", []byte("abc")))
	_, _, err = s.archive.Put(s.ctx, "q", ada, s.now)
	require.NoError(t, err)
}

func TestWhoReadsWhileAProcessIsArchivedReadsAllOfIt(t *testing.T) {
	onEvery(t, func(t *testing.T, driver func() events.Driver) {
		s := newShelf(t, driver())
		versions := []uint64{}
		for e, err := range History(s.ctx, s.archive, "p") {
			require.NoError(t, err)
			if len(versions) == 0 {
				_, err := s.archiveIt()
				require.NoError(t, err)
			}
			versions = append(versions, e.Version)
		}
		require.Len(t, versions, int(s.before.version))
		require.IsIncreasing(t, versions)
	})
}

func TestWhatIsRemovedSaysSoAndKeepsItsID(t *testing.T) {
	s := newShelf(t, memevents.New())
	_, err := s.archive.Remove(s.ctx, "p", ada, s.now)
	require.ErrorContains(t, err, "only archives can be removed")
	_, err = s.archiveIt()
	require.NoError(t, err)

	s.archive.Failpoint = func(string) { panic(errCrash) }
	require.ErrorIs(t, crashed(func() error { _, err := s.archive.Remove(s.ctx, "p", ada, s.now); return err }), errCrash)
	s.archive.Failpoint = nil
	_, err = s.archive.Remove(s.ctx, "p", ada, s.now)
	require.NoError(t, err)

	require.Equal(t, []string{removedType}, s.stream())
	names, err := s.archive.Blobs.Names(s.ctx, archiveFolder)
	require.NoError(t, err)
	require.Empty(t, names)
	var removed *RemovedError
	_, err = Load(s.ctx, s.archive, "p")
	require.ErrorAs(t, err, &removed)
	require.ErrorContains(t, err, `process "p" was removed on 2026-01-01 by ada: old; it completed on 2026-01-01, and its ID stays taken`)
	_, _, err = s.archive.Put(s.ctx, "p", ada, s.now)
	require.ErrorAs(t, err, &removed)
	s.restart()
	replies := s.send("p", fanOut(), 3)
	s.step()
	answer := s.answer(replies)
	require.True(t, answer.Refused)
	require.Contains(t, answer.Error, "start it under another one")
}

func TestWhoFollowsAProcessSeesItsEndAlsoIfThatIsArchivedAlready(t *testing.T) {
	onEvery(t, func(t *testing.T, driver func() events.Driver) {
		s := newShelf(t, driver())
		require.Empty(t, s.ask(process.RestartFrom{Address: "work"}).Error)
		ctx, cancel := context.WithTimeout(s.ctx, 10*time.Second)
		defer cancel()
		next, stop := iter.Pull2((&Client{Events: s.store, Archive: s.archive}).Follow(ctx, "p"))
		defer stop()
		state, err, _ := next()
		require.NoError(t, err)
		require.False(t, state.Ended())
		s.report("p", task.Result{Address: "work", Generation: 1, Attempt: 1, Tasks: task.Span(0, 3), Outcome: task.Done})
		s.step()
		_, err = s.archiveIt()
		require.NoError(t, err)
		for !state.Ended() {
			state, err, _ = next()
			require.NoError(t, err)
		}
		require.Equal(t, s.tell("p").state, encoded(t, state))
	})
}
