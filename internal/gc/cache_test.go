package gc_test

import (
	"context"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/deedrun/deed"
	"github.com/deedrun/deed/blob"
	"github.com/deedrun/deed/internal/cached"
	"github.com/deedrun/deed/internal/gc"
	"github.com/deedrun/deed/orchestrator/process"
	"github.com/deedrun/deed/worker"
)

var greeting = deed.MustParse(`
deed: v1
name: greeting
inputs: [names]
cache: true
steps:
  greet: {run: greet@1, each: {name: names}, out: [greetings]}
outputs: [greetings]
`)

// greeters is a runtime in memory with a handler that writes a blob, and says how
// often it ran.
func greeters(t *testing.T) (*deed.Runtime, chan string) {
	t.Helper()
	ran := make(chan string, 100)
	handlers := worker.NewRegistry()
	worker.Handle(handlers, "greet@1", func(_ context.Context, task *worker.Task) error {
		ran <- task.Process()
		out, err := task.Create("greetings")
		if err != nil {
			return err
		}
		if _, err := out.Write([]byte("hello")); err != nil {
			return err
		}
		return out.Close()
	})
	r, err := deed.Open(t.Context(), deed.Options{Handlers: handlers, Workers: 2})
	require.NoError(t, err)
	t.Cleanup(r.Close)
	return r, ran
}

func greet(t *testing.T, r *deed.Runtime, id string, names ...any) *deed.Result {
	t.Helper()
	require.NoError(t, r.Submit(t.Context(), id, deed.Job{Source: greeting, Inputs: map[string]deed.Input{"names": deed.Values(names...)}}))
	result, err := r.Wait(t.Context(), id, nil)
	require.NoError(t, err)
	return result
}

// remove archives a process and removes the archive.
func remove(t *testing.T, r *deed.Runtime, id string) {
	t.Helper()
	_, _, err := r.Archive.Put(t.Context(), id, process.Asked{By: "me"}, time.Now())
	require.NoError(t, err)
	_, err = r.Archive.Remove(t.Context(), id, process.Asked{By: "me"}, time.Now())
	require.NoError(t, err)
}

// collectAfter is a collection so much later.
func collectAfter(d time.Duration) gc.Options {
	return gc.Options{Delete: true, Now: func() time.Time { return time.Now().Add(d) }}
}

var nextDays = collectAfter(gc.DefaultGrace + 2*blob.RenewedFor)

func TestAResultStaysInTheCacheAsLongAsSomeProcessKeepsWhatItRefersTo(t *testing.T) {
	r, ran := greeters(t)
	greet(t, r, "a", "Ann", "Bo")
	require.Empty(t, collectGarbage(t, r, nextDays).Garbage)
	greet(t, r, "b", "Ann", "Bo")
	require.Len(t, ran, 2, "it was of use")

	remove(t, r, "a")
	require.NotContains(t, garbageOf(collectGarbage(t, r, nextDays)), "cache", "b refers to it")
	text, err := greet(t, r, "c", "Ann").Text(t.Context(), "greetings")
	require.NoError(t, err)
	require.Equal(t, "hello", text)
	require.Len(t, ran, 2)

	remove(t, r, "b")
	remove(t, r, "c")
	first := garbageOf(collectGarbage(t, r, nextDays))
	require.Equal(t, 2, first["cache"])
	require.Zero(t, first["a data"], "whoever just found it there may not have said so yet")
	require.Equal(t, 2, garbageOf(collectGarbage(t, r, nextDays))["a data"])
	greet(t, r, "d", "Ann")
	require.Len(t, ran, 3, "now it has to be executed")
}

func TestAResultThatNobodyUsesLeavesTheCache(t *testing.T) {
	r, ran := greeters(t)
	greet(t, r, "a", "Ann")
	require.Empty(t, collectGarbage(t, r, collectAfter(gc.DefaultCacheFor-time.Hour)).Garbage)
	require.Equal(t, map[string]int{"cache": 1}, garbageOf(collectGarbage(t, r, collectAfter(gc.DefaultCacheFor+time.Hour))))
	greet(t, r, "b", "Ann")
	require.Len(t, ran, 2)
}

func TestADamagedEntryOfTheCacheIsGarbage(t *testing.T) {
	r, _ := greeters(t)
	greet(t, r, "a", "Ann")
	require.NoError(t, r.Blobs.StoreNamed(t.Context(), "cache/ab/cdef0123456789abcdef0123456789abcdef0123456789abcdef0123456789", []byte("torn")))
	require.Equal(t, map[string]int{"cache": 1}, garbageOf(collectGarbage(t, r, nextDays)))
	n, err := cached.Clear(t.Context(), r.Blobs.Cache(), "a", "greet")
	require.NoError(t, err)
	require.Equal(t, 1, n)
}

func TestAnEntryThatIsNoneHoldsUpNoCollection(t *testing.T) {
	r, _ := greeters(t)
	greet(t, r, "a", "Ann")
	w, err := r.Blobs.Create(t.Context(), "a/greet/0/0/1-forged/0")
	require.NoError(t, err)
	_, err = w.Write([]byte("no list\n"))
	require.NoError(t, err)
	require.NoError(t, w.Close())
	list := w.Ref()
	forged := blob.Cached{Key: strings.Repeat("ab", 32), List: &list}
	require.NoError(t, r.Blobs.Cache().Store(t.Context(), forged, "unused"))
	garbage := collectGarbage(t, r, nextDays)
	require.Contains(t, garbageOf(garbage), "cache")
	_, err = r.Blobs.Cache().Entry(t.Context(), forged.Key)
	require.ErrorIs(t, err, blob.ErrUncached)
}
