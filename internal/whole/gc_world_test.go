package whole_test

import (
	"fmt"
	"io"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/deedrun/deed"
	"github.com/deedrun/deed/internal/gc"
	"github.com/deedrun/deed/orchestrator"
	"github.com/deedrun/deed/orchestrator/process"
)

// worldGrace is longer than a worker of a world stands still.
const worldGrace = 45 * time.Second

// collectingWorld is a world in which garbage is collected at any moment, and
// in which time goes by for blobs too. It says how much was removed, and what is
// wrong in the end.
func collectingWorld(t *testing.T, seed uint64, o gc.Options) (removed int, err error) {
	t.Helper()
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t.Context(), seed)
		defer w.close()
		w.now = time.Now()
		runtime := &deed.Runtime{Client: &orchestrator.Client{Events: w.store, Archive: &orchestrator.Archive{Events: w.store, Blobs: w.blobs}}, Blobs: w.blobs}
		o.Delete, o.Now = true, func() time.Time { return w.now }
		steps := func(n int) {
			for range n {
				w.step()
				time.Sleep(time.Until(w.now))
			}
		}
		o.Pause = func(gc.Point) { steps(w.random.IntN(20)) } // others go on meanwhile
		collect := func() error {
			report, err := gc.Collect(w.ctx, runtime.Archive, o)
			if err == nil && len(report.Unread) > 0 {
				err = fmt.Errorf("%+v", report.Unread)
			}
			removed += report.Total().Blobs
			return err
		}
		numbers := map[string][]int{"a": upTo(12), "b": upTo(3)}
		for id, given := range numbers {
			w.submit(id, additions, given)
		}
		w.persons.busy = true
		for n := range 60_000 {
			steps(1)
			if n == 3000 {
				w.calmDown()
			}
			if n > 50 && w.random.IntN(60) == 0 {
				if err = collect(); err != nil && n > 3000 { // before, the event store may be empty yet
					return
				}
			}
			if n > 3000 && n%50 == 0 && w.ended(numbers) && w.checkAnswers() == nil {
				break
			}
		}
		w.now = w.now.Add(2 * worldGrace)
		time.Sleep(time.Until(w.now))
		if err = collect(); err != nil {
			return
		}
		for id, given := range numbers {
			if err = w.check(id, given); err == nil {
				err = w.readOutputs(runtime, id)
			}
			if err != nil {
				err = fmt.Errorf("seed %d: process %s: %w", seed, id, err)
				return
			}
		}
	})
	return removed, err
}

func (w *world) ended(numbers map[string][]int) bool {
	for id := range numbers {
		s, err := orchestrator.Load(w.ctx, w.store, id)
		if err != nil || !s.Ended() {
			return false
		}
	}
	return true
}

// readOutputs reads all that a completed process has, not only what it is for.
func (w *world) readOutputs(r *deed.Runtime, id string) error {
	s, err := orchestrator.Load(w.ctx, w.store, id)
	if err != nil || s.Status != process.Completed {
		return err
	}
	for _, name := range []string{"keyed", "sums", "total"} {
		for p, err := range r.Result(s).Parts(w.ctx, name) {
			if err != nil {
				return fmt.Errorf("%s: %w", name, err)
			}
			in, err := w.blobs.OpenPart(w.ctx, p)
			if err != nil {
				return fmt.Errorf("%s: %w", name, err)
			}
			_, err = io.Copy(io.Discard, in)
			if err := in.Close(); err != nil {
				return err
			}
			if err != nil {
				return fmt.Errorf("%s: %w", name, err)
			}
		}
	}
	return nil
}

func TestWhateverIsCollectedInAnyWorldWhatProcessesHaveCanBeRead(t *testing.T) {
	t.Parallel()
	removed := 0
	for seed := uint64(1); seed <= uint64(max(10, *seeds/20)); seed++ {
		n, err := collectingWorld(t, seed, gc.Options{Grace: worldGrace})
		require.NoError(t, err)
		removed += n
	}
	require.Positive(t, removed, "there was no garbage: this shows nothing")
	t.Logf("removed %d blobs", removed)
}

func TestTheWorldsFindACollectionThatDoesNotSpareOpenProcesses(t *testing.T) {
	t.Parallel()
	for seed := uint64(1); seed <= 10; seed++ {
		_, err := collectingWorld(t, seed, gc.Options{Grace: time.Nanosecond, Without: gc.Rules{Open: true, Again: true}})
		if err != nil {
			t.Logf("seed %d: %v", seed, err)
			return
		}
	}
	t.Fatal("no world saw that data was lost")
}
