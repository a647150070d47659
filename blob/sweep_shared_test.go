package blob

import (
	"context"
	"errors"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/deedrun/deed/task"
)

// aged is a store in which content was imported two days ago; the test then
// runs in virtual time.
func aged(t *testing.T, test func(t *testing.T, s *Store, ref task.Ref)) {
	t.Helper()
	synctest.Test(t, func(t *testing.T) {
		s, err := Open(t.Context(), "mem://")
		require.NoError(t, err)
		defer s.Close()
		ref, err := s.Import(t.Context(), strings.NewReader("the corpus"))
		require.NoError(t, err)
		time.Sleep(48 * time.Hour)
		test(t, s, ref)
	})
}

func objects(t *testing.T, s *Store) []Object {
	t.Helper()
	var all []Object
	for o, err := range s.Objects(t.Context()) {
		require.NoError(t, err)
		all = append(all, o)
	}
	return all
}

func requireThere(t *testing.T, s *Store, ref task.Ref) {
	t.Helper()
	at, err := s.modTime(t.Context(), ref.Key)
	require.NoError(t, err)
	require.False(t, at.IsZero(), "it is gone")
}

func yesterday() time.Time { return time.Now().Add(-24 * time.Hour) }

func TestContentThatNobodyWantsIsSwept(t *testing.T) {
	aged(t, func(t *testing.T, s *Store, ref task.Ref) {
		var gone []string
		require.NoError(t, s.SweepShared(t.Context(), objects(t, s), yesterday(), func(o Object) { gone = append(gone, o.Key) }))
		require.Equal(t, []string{ref.Key}, gone)
		require.Empty(t, objects(t, s), "nothing is left, no mark either")
	})
}

func TestContentThatIsImportedAgainIsNotSwept(t *testing.T) {
	aged(t, func(t *testing.T, s *Store, ref task.Ref) {
		found := objects(t, s) // the sweep saw it old
		_, err := s.Import(t.Context(), strings.NewReader("the corpus"))
		require.NoError(t, err)
		require.NoError(t, s.SweepShared(t.Context(), found, yesterday(), func(o Object) { t.Errorf("%s is gone", o.Key) }))
		requireThere(t, s, ref)
	})
}

// race lets an import find content at the very moment in which a sweep has
// decided to remove it, and reports whether it is there after both.
func race(t *testing.T, s *Store, ref task.Ref, marked bool) (there bool) {
	t.Helper()
	decided, proceed := make(chan struct{}), make(chan struct{})
	var both sync.WaitGroup
	both.Go(func() {
		own := ""
		if marked {
			var err error
			if own, _, err = s.startSweep(t.Context()); err != nil {
				t.Error(err)
			}
		}
		err := s.removeEach(t.Context(), []Object{{Key: ref.Key}}, false, func(ctx context.Context, o Object) (bool, error) {
			at, err := s.modTime(ctx, renewals+"/"+o.Key)
			close(decided)
			<-proceed
			return at.IsZero(), err
		}, nil)
		if err != nil {
			t.Error(err)
		}
		if marked {
			if err := s.Remove(t.Context(), own); err != nil {
				t.Error(err)
			}
		}
	})
	<-decided
	both.Go(func() {
		again, err := s.Import(t.Context(), strings.NewReader("the corpus"))
		if err != nil || again != ref {
			t.Errorf("import: %v, %v", again, err)
		}
	})
	synctest.Wait() // the import is over, or waits for the sweep
	close(proceed)
	both.Wait()
	at, err := s.modTime(t.Context(), ref.Key)
	require.NoError(t, err)
	return !at.IsZero()
}

func TestAnImportWaitsForASweepThatMayRemoveWhatItFound(t *testing.T) {
	aged(t, func(t *testing.T, s *Store, ref task.Ref) { require.True(t, race(t, s, ref, true)) })
}

func TestWithoutTheMarkOfASweepAnImportLosesWhatItFound(t *testing.T) {
	aged(t, func(t *testing.T, s *Store, ref task.Ref) {
		require.False(t, race(t, s, ref, false), "the mark is not needed then")
	})
}

func TestTheMarkOfASweepThatWasKilledHoldsUpNobodyForLong(t *testing.T) {
	aged(t, func(t *testing.T, s *Store, ref task.Ref) {
		_, _, err := s.startSweep(t.Context())
		require.NoError(t, err)
		began := time.Now()
		_, err = s.Import(t.Context(), strings.NewReader("the corpus"))
		require.NoError(t, err)
		require.InDelta(t, sweepDead, time.Since(began), float64(time.Second))

		began = time.Now()
		require.NoError(t, s.SweepShared(t.Context(), objects(t, s), yesterday(), nil))
		require.Less(t, time.Since(began), time.Second, "the import removed the mark")
	})
}

func TestWhatAProcessWroteThatIsNamedSweepingIsNoMarkOfOne(t *testing.T) {
	aged(t, func(t *testing.T, s *Store, _ task.Ref) {
		const output = "sweeping/count/0/0/1-abc/0"
		require.NoError(t, s.StoreNamed(t.Context(), output, []byte("x")))
		began := time.Now()
		_, err := s.Import(t.Context(), strings.NewReader("the corpus"))
		require.NoError(t, err)
		require.NoError(t, s.SweepShared(t.Context(), objects(t, s), yesterday(), nil))
		require.Less(t, time.Since(began), time.Second)
		at, err := s.modTime(t.Context(), output)
		require.NoError(t, err)
		require.False(t, at.IsZero(), "it is not removed")
	})
}

func TestSweepsOfWhatIsSharedDoNotOverlap(t *testing.T) {
	aged(t, func(t *testing.T, s *Store, _ task.Ref) {
		var mu sync.Mutex
		under, ended := 0, 0
		var all sync.WaitGroup
		for range 4 {
			all.Go(func() {
				own, until, err := s.startSweep(t.Context())
				if err != nil {
					t.Error(err)
					return
				}
				mu.Lock()
				if under++; under > 1 {
					t.Error("two sweeps at a time")
				}
				mu.Unlock()
				time.Sleep(time.Second)
				if time.Now().After(until) {
					t.Error("a sweep outlived its mark")
				}
				mu.Lock()
				under--
				ended++
				mu.Unlock()
				if err := s.Remove(t.Context(), own); err != nil {
					t.Error(err)
				}
			})
		}
		all.Wait()
		require.Equal(t, 4, ended)
	})
}

func TestASweepStopsWhenItsMarkIsTooOldToBeBelieved(t *testing.T) {
	aged(t, func(t *testing.T, s *Store, ref task.Ref) {
		own, until, err := s.startSweep(t.Context())
		require.NoError(t, err)
		held, cancel := context.WithDeadline(t.Context(), until)
		defer cancel()
		time.Sleep(sweepHold + time.Second)
		require.Error(t, s.removeEach(held, objects(t, s), false, nil, nil))
		requireThere(t, s, ref)
		require.NoError(t, s.Remove(t.Context(), own))
	})
}

func TestAnImportRenewsAgainWhatASweepTookFromUnderIt(t *testing.T) {
	aged(t, func(t *testing.T, s *Store, ref task.Ref) {
		renewal := renewals + "/" + ref.Key
		require.NoError(t, s.mark(t.Context(), renewal))
		time.Sleep(48 * time.Hour)
		decided, proceed := make(chan struct{}), make(chan struct{})
		var both sync.WaitGroup
		both.Go(func() { // a sweep that found the old renewal
			own, _, err := s.startSweep(t.Context())
			if err != nil {
				t.Error(err)
			}
			close(decided)
			<-proceed
			if err := errors.Join(s.Remove(t.Context(), renewal), s.Remove(t.Context(), own)); err != nil {
				t.Error(err)
			}
		})
		<-decided
		both.Go(func() {
			if _, err := s.Import(t.Context(), strings.NewReader("the corpus")); err != nil {
				t.Error(err)
			}
		})
		synctest.Wait() // the import waits for the sweep
		close(proceed)
		both.Wait()
		require.NoError(t, s.SweepShared(t.Context(), objects(t, s), yesterday(), nil))
		requireThere(t, s, ref)
	})
}

func TestAnImportReplacesWhatIsTornOnceNoSweepCanTakeItForTheOld(t *testing.T) {
	aged(t, func(t *testing.T, s *Store, ref task.Ref) {
		w, err := s.create(t.Context(), ref.Key, true)
		require.NoError(t, err)
		_, err = w.Write([]byte("the c"))
		require.NoError(t, err)
		require.NoError(t, w.Close())
		time.Sleep(48 * time.Hour)
		require.True(t, race(t, s, ref, true))
	})
}

func TestRenewalsAreSweptOnceTheyAreOld(t *testing.T) {
	aged(t, func(t *testing.T, s *Store, ref task.Ref) {
		_, err := s.Import(t.Context(), strings.NewReader("the corpus"))
		require.NoError(t, err)
		found := objects(t, s)
		require.Len(t, found, 2)
		require.NoError(t, s.SweepShared(t.Context(), found, yesterday(), nil))
		require.Len(t, objects(t, s), 2, "it was renewed today")
		time.Sleep(48 * time.Hour)
		require.NoError(t, s.SweepShared(t.Context(), found, yesterday(), nil))
		require.Empty(t, objects(t, s))
	})
}
