package gc_test

import (
	"context"
	"io"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/deedrun/deed"
	"github.com/deedrun/deed/api/wire"
	"github.com/deedrun/deed/blob"
	"github.com/deedrun/deed/events"
	"github.com/deedrun/deed/internal/gc"
	"github.com/deedrun/deed/orchestrator"
	"github.com/deedrun/deed/orchestrator/process"
	"github.com/deedrun/deed/worker"
)

// noGrace leaves nothing alone for being young: the other rules are on their own.
var noGrace = gc.Options{Grace: time.Nanosecond, Delete: true}

var writing = deed.MustParse(`
deed: v1
name: writing
inputs: [text]
steps:
  write: {run: write, in: [text], out: [copy], retry: {attempts: 1}}
outputs: [copy]
`)

// writers is a runtime in memory whose one handler writes its output, says so,
// and ends when it is told to.
func writers(t *testing.T, fail bool) (r *deed.Runtime, written, end chan struct{}) {
	t.Helper()
	written, end = make(chan struct{}, 10), make(chan struct{}, 10)
	handlers := worker.NewRegistry()
	worker.Handle(handlers, "write", func(ctx context.Context, task *worker.Task) error {
		out, err := task.Create("copy")
		if err != nil {
			return err
		}
		if _, err := io.WriteString(out, "what was written"); err != nil {
			return err
		}
		if err := out.Close(); err != nil {
			return err
		}
		written <- struct{}{}
		select {
		case <-end:
		case <-ctx.Done():
			return ctx.Err()
		}
		if fail {
			return worker.Permanent(io.ErrUnexpectedEOF)
		}
		return nil
	})
	r, err := deed.Open(t.Context(), deed.Options{Handlers: handlers, Workers: 2})
	require.NoError(t, err)
	t.Cleanup(r.Close)
	return r, written, end
}

func submit(t *testing.T, r *deed.Runtime, id string) {
	t.Helper()
	require.NoError(t, r.Submit(t.Context(), id, deed.Job{
		Source: writing, Inputs: map[string]deed.Input{"text": deed.Stream(strings.NewReader("what is given to " + id))},
	}))
}

func collectGarbage(t *testing.T, r *deed.Runtime, o gc.Options) wire.GCReport {
	t.Helper()
	report, err := gc.Collect(t.Context(), r.Archive, o)
	require.NoError(t, err)
	require.Empty(t, report.Unread)
	return report
}

func garbageOf(r wire.GCReport) map[string]int {
	found := map[string]int{}
	for _, g := range r.Garbage {
		found[strings.TrimSpace(g.Process+" "+string(g.Kind))] = g.Blobs
	}
	return found
}

// The race that the rules decide: a worker has written a blob and nobody refers
// to it yet; the collection reads the states; the report arrives and the event
// refers to the blob; the collection removes what nobody referred to.
func TestWhatIsWrittenAndNotYetReportedIsNotGarbage(t *testing.T) {
	for _, test := range []struct {
		name    string
		without gc.Rules
		between bool // the report arrives when it is known what is garbage, not afterwards
		there   bool
	}{
		{name: "the report arrives in between", between: true, there: true},
		{name: "the report arrives afterwards", there: true},
		{name: "in between, open processes are not spared, but looked at again", without: gc.Rules{Open: true}, between: true, there: true},
		{name: "in between, without both rules the output is lost", without: gc.Rules{Open: true, Again: true}, between: true},
		{name: "afterwards, if open processes are not spared, the output is lost", without: gc.Rules{Open: true}},
	} {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			r, written, end := writers(t, false)
			submit(t, r, "a")
			<-written
			time.Sleep(time.Millisecond) // older than no grace at all
			var result *deed.Result
			finish := func() {
				end <- struct{}{}
				var err error
				result, err = r.Wait(t.Context(), "a", nil)
				require.NoError(t, err)
			}
			o := noGrace
			o.Without = test.without
			o.Pause = func(point gc.Point) {
				if test.between && result == nil && (point == gc.BeforeRemove || !test.without.Open) {
					finish()
				}
			}
			collectGarbage(t, r, o)
			if !test.between {
				finish()
			}
			require.NotNil(t, result)
			text, err := result.Text(t.Context(), "copy")
			if !test.there {
				require.ErrorIs(t, err, blob.ErrNotFound, "the test does not see what the rule is for")
				return
			}
			require.NoError(t, err)
			require.Equal(t, "what was written", text)
		})
	}
}

func TestWhatIsImportedForAProcessThatStartsLaterIsWithinTheGracePeriod(t *testing.T) {
	r, _, end := writers(t, false)
	submit(t, r, "other")
	prepare := func() process.StartProcess {
		start, err := r.Prepare(t.Context(), "a", deed.Job{
			Source: writing, Inputs: map[string]deed.Input{"text": deed.Stream(strings.NewReader("what is given"))},
		}, nil)
		require.NoError(t, err)
		return start
	}
	prepare()
	report := collectGarbage(t, r, gc.Options{Delete: true})
	require.Empty(t, report.Garbage)
	require.Equal(t, 1, report.Young.Blobs)

	// Beyond it, which is how an import that was given up goes, it is garbage.
	require.Equal(t, map[string]int{"input": 1}, garbageOf(collectGarbage(t, r, nextDays)))
	start := prepare()
	end <- struct{}{}
	end <- struct{}{}
	_, err := r.Client.Start(t.Context(), start)
	require.NoError(t, err)
	_, err = r.Wait(t.Context(), "a", nil)
	require.NoError(t, err)
}

func TestAProcessThatEndedKeepsWhatItsStateRefersTo(t *testing.T) {
	r, _, end := writers(t, true)
	end <- struct{}{}
	submit(t, r, "a")
	_, err := r.Wait(t.Context(), "a", nil)
	require.ErrorIs(t, err, deed.ErrFailed)
	for _, key := range []string{
		"logs/a/write/0/0/1-n/000000.log", "snapshots/a/00000000000000000001", // of a process that is there
		"gone/write/0/0/1-n/0", "logs/gone/write/0/0/1-n/000000.log", "snapshots/gone/00000000000000000001", // of one that is not
		"views/ps/1", "notes.txt",
	} {
		require.NoError(t, r.Blobs.StoreNamed(t.Context(), key, []byte("x")))
	}
	within := collectGarbage(t, r, gc.Options{Delete: true})
	require.Empty(t, within.Garbage, "it ended within the grace period, and all is young")

	later := nextDays
	later.Delete = false
	want := map[string]int{"a data": 1, "gone data": 1, "gone log": 1, "gone snapshot": 1} // the output did not count
	dry := collectGarbage(t, r, later)
	require.Equal(t, want, garbageOf(dry))
	require.False(t, dry.Deleted)
	require.Equal(t, 1, dry.Foreign.Blobs)

	later.Delete = true
	require.Equal(t, want, garbageOf(collectGarbage(t, r, later)), "the dry run removed nothing")
	again := collectGarbage(t, r, later)
	require.Empty(t, again.Garbage)
	require.Equal(t, dry.Kept, again.Kept)
	require.Equal(t, 4, again.Kept.Blobs, "the input, log, snapshot and view")
}

func TestAProcessThatCannotBeReadKeepsAllAndSoDoInputs(t *testing.T) {
	r, _, end := writers(t, false)
	end <- struct{}{}
	submit(t, r, "a")
	_, err := r.Wait(t.Context(), "a", nil)
	require.NoError(t, err)
	_, err = r.Blobs.Import(t.Context(), strings.NewReader("nobody's"))
	require.NoError(t, err)
	require.NoError(t, r.Blobs.StoreNamed(t.Context(), "gone/write/0/0/1-n/0", []byte("x")))
	_, err = r.Events.Append(t.Context(), "process-newer", events.NoStream(), "1", events.Record{Type: "from-the-future", Schema: 1, Data: []byte("{}")})
	require.NoError(t, err)

	report, err := gc.Collect(t.Context(), r.Archive, nextDays)
	require.NoError(t, err)
	require.Len(t, report.Unread, 1)
	require.Equal(t, "newer", report.Unread[0].Process)
	require.Equal(t, map[string]int{"gone data": 1}, garbageOf(report))
}

func TestAnArchivedProcessKeepsWhatItHasAndARemovedOneNothing(t *testing.T) {
	r, _, end := writers(t, false)
	end <- struct{}{}
	submit(t, r, "a")
	_, err := r.Wait(t.Context(), "a", nil)
	require.NoError(t, err)
	who := process.Asked{By: "me"}
	require.NoError(t, r.Blobs.StoreNamed(t.Context(), "archives/a.7.tar.gz", []byte("given up")))
	require.NoError(t, r.Blobs.StoreNamed(t.Context(), "logs/a/write/0/0/1-n/000000.log", []byte("x")))
	require.Empty(t, collectGarbage(t, r, nextDays).Garbage, "somebody may be archiving it")

	archived, _, err := r.Archive.Put(t.Context(), "a", who, time.Now())
	require.NoError(t, err)
	require.NotEqual(t, "archives/a.7.tar.gz", archived.Archive.Key)
	require.Empty(t, collectGarbage(t, r, gc.Options{Delete: true}).Garbage)
	require.Equal(t, map[string]int{"a archive": 1}, garbageOf(collectGarbage(t, r, nextDays)))
	state, err := orchestrator.Load(t.Context(), r.Archive, "a")
	require.NoError(t, err)
	text, err := r.Result(state).Text(t.Context(), "copy")
	require.NoError(t, err)
	require.Equal(t, "what was written", text)

	removed, err := r.Archive.Remove(t.Context(), "a", who, time.Now())
	require.NoError(t, err)
	require.True(t, removed)
	require.Empty(t, collectGarbage(t, r, gc.Options{Delete: true}).Garbage, "within the grace period")
	require.Equal(t, map[string]int{"a data": 1, "a log": 1, "input": 1}, garbageOf(collectGarbage(t, r, nextDays)))
}

func TestWhatOneProcessWroteAndAnotherWasGivenOutlivesTheFirst(t *testing.T) {
	r, _, end := writers(t, false)
	end <- struct{}{}
	end <- struct{}{}
	submit(t, r, "a")
	result, err := r.Wait(t.Context(), "a", nil)
	require.NoError(t, err)
	copied, ok := result.State.Data("copy")
	require.True(t, ok)
	start, err := r.Prepare(t.Context(), "b", deed.Job{Source: writing, Inputs: map[string]deed.Input{"text": deed.Values()}}, nil)
	require.NoError(t, err)
	start.Inputs["text"] = copied
	_, err = r.Client.Start(t.Context(), start)
	require.NoError(t, err)
	_, err = r.Wait(t.Context(), "b", nil)
	require.NoError(t, err)

	remove(t, r, "a")
	collectGarbage(t, r, nextDays)
	text, err := result.Text(t.Context(), "copy")
	require.NoError(t, err)
	require.Equal(t, "what was written", text)
}

func TestWhatAKilledImportLeftIsGarbageThoughThereIsNoOther(t *testing.T) {
	r, _, end := writers(t, false)
	end <- struct{}{}
	submit(t, r, "a")
	require.NoError(t, r.Blobs.StoreNamed(t.Context(), "sha256/ab/"+strings.Repeat("c", 62)+".18a3f.tmp", []byte("x")))
	require.Equal(t, map[string]int{"unfinished": 1}, garbageOf(collectGarbage(t, r, nextDays)))
}

func TestAnEmptyEventStoreIsTakenForTheWrongOne(t *testing.T) {
	r, _, _ := writers(t, false)
	require.NoError(t, r.Blobs.StoreNamed(t.Context(), "a/write/0/0/1-n/0", []byte("x")))
	_, err := gc.Collect(t.Context(), r.Archive, noGrace)
	require.ErrorIs(t, err, gc.ErrNoProcesses)
	_, err = r.Blobs.ReadNamed(t.Context(), "a/write/0/0/1-n/0", 10)
	require.NoError(t, err)
}

func TestCollectionsBesideEachOtherRemoveTheSameOnce(t *testing.T) {
	r, _, end := writers(t, false)
	end <- struct{}{}
	submit(t, r, "a")
	_, err := r.Wait(t.Context(), "a", nil)
	require.NoError(t, err)
	const n = 500
	for i := range n {
		_, err := r.Blobs.Import(t.Context(), strings.NewReader(strings.Repeat("x", i)))
		require.NoError(t, err)
	}
	removed := make(chan int, 3)
	for range 3 {
		go func() {
			report, err := gc.Collect(t.Context(), r.Archive, nextDays)
			if err != nil {
				t.Error(err)
			}
			removed <- report.Total().Blobs
		}()
	}
	total := 0
	for range 3 {
		total += <-removed
	}
	require.Equal(t, n, total)
	result, err := orchestrator.Load(t.Context(), r.Events, "a")
	require.NoError(t, err)
	text, err := r.Result(result).Text(t.Context(), "copy")
	require.NoError(t, err)
	require.Equal(t, "what was written", text)
}
