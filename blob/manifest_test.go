package blob_test

import (
	"context"
	"encoding/json"
	"fmt"
	"iter"
	"runtime"
	"strconv"
	"strings"
	"sync"
	"testing"

	"github.com/deedrun/deed/blob"
	"github.com/deedrun/deed/task"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// value is an inline part.
func value(key string, v int) task.Part {
	return task.Part{Key: key, Value: json.RawMessage(fmt.Sprint(v))}
}

// manifest stores count parts under each key, keys in order; part i of the
// list has the value i.
func manifest(t testing.TB, store *blob.Store, count int, keys ...string) (task.Dataset, *blob.ManifestReader) {
	t.Helper()
	w, err := store.NewManifest(t.Context(), "manifest")
	require.NoError(t, err)
	defer w.Abort()
	i := 0
	for _, key := range keys {
		for range count {
			if err := w.Add(blob.Entry{Index: i, Part: value(key, i)}); err != nil {
				require.NoError(t, err)
			}
			i++
		}
	}
	data, err := w.Close()
	require.NoError(t, err)
	r, err := store.OpenManifest(t.Context(), *data.Manifest)
	require.NoError(t, err)
	return data, r
}

func numbered(format string, n int) []string {
	names := make([]string, n)
	for i := range names {
		names[i] = fmt.Sprintf(format, i)
	}
	return names
}

func TestManifestOrder(t *testing.T) {
	add := func(t *testing.T, entries ...blob.Entry) error {
		w, err := open(t, "mem://").NewManifest(t.Context(), "m")
		require.NoError(t, err)
		defer w.Abort()
		for _, e := range entries {
			err = w.Add(e)
		}
		if err != nil {
			assert.Equal(t, err, w.Add(blob.Entry{Index: 100, Part: value("z", 1)}), "the error stays")
			_, closing := w.Close()
			assert.Equal(t, err, closing)
		}
		return err
	}
	t.Run("entries out of order are refused", func(t *testing.T) {
		require.ErrorContains(t, add(t, blob.Entry{Part: value("b", 1)}, blob.Entry{Part: value("a", 1)}),
			`entry 1: part 0 of task 0, key "a" comes after part 0 of task 0, key "b"`)
		require.Error(t, add(t, blob.Entry{Index: 2, Part: value("a", 1)}, blob.Entry{Index: 1, Part: value("a", 1)}))
		require.Error(t, add(t, blob.Entry{Ordinal: 2, Part: value("a", 1)}, blob.Entry{Ordinal: 1, Part: value("a", 1)}))
	})
	t.Run("an entry that comes twice is refused", func(t *testing.T) {
		e := blob.Entry{Part: value("a", 1)}
		require.ErrorContains(t, add(t, e, e), "comes twice")
	})
	t.Run("an entry that is no part is refused", func(t *testing.T) {
		for _, e := range []blob.Entry{
			{},
			{Index: -1, Part: value("a", 1)},
			{Ordinal: -1, Part: value("a", 1)},
			{Part: value("\xff", 1)},
			{Part: task.Part{Value: []byte("{")}},
			{Part: task.Part{Ref: &task.Ref{Key: "../x"}}},
			{Part: task.Part{Value: []byte(`"` + strings.Repeat("x", 1<<20) + `"`)}},
		} {
			require.Error(t, add(t, e))
		}
	})
}

func TestManifestOfManyParts(t *testing.T) {
	const keys = 200
	each := 1000
	if testing.Short() {
		each = 50
	}
	data, r := manifest(t, open(t, "file://"+t.TempDir()), each, numbered("key-%03d", keys)...)
	require.Equal(t, each*keys, data.Count)
	require.Equal(t, keys, data.Keys)

	t.Run("any part is read without the rest", func(t *testing.T) {
		for _, i := range []int{0, 255, 256, each*keys/2 - 1, each*keys - 1} {
			p, err := r.Part(t.Context(), i)
			require.NoError(t, err)
			assert.Equal(t, value(fmt.Sprintf("key-%03d", i/each), i), p)
		}
	})
	t.Run("a group is the parts of one key", func(t *testing.T) {
		assert.Equal(t, each, count(t, r.Group(t.Context(), 117), 117*each))
	})
	t.Run("reading all of it holds a few chunks", func(t *testing.T) {
		runtime.GC()
		var before, now runtime.MemStats
		runtime.ReadMemStats(&before)
		n, peak := 0, uint64(0)
		for _, err := range r.All(t.Context()) {
			if err != nil {
				require.NoError(t, err)
			}
			if n++; n%20_000 == 0 {
				runtime.GC()
				runtime.ReadMemStats(&now)
				peak = max(peak, now.HeapAlloc)
			}
		}
		assert.Equal(t, each*keys, n)
		assert.Less(t, int64(peak)-int64(before.HeapAlloc), int64(4<<20))
	})
	t.Run("a loop may end early", func(t *testing.T) {
		for p, err := range r.All(t.Context()) {
			require.NoError(t, err)
			if number(t, p) == 7_000 {
				break
			}
		}
	})
}

func TestManifestBuckets(t *testing.T) {
	t.Parallel()
	const each, keys = 50, 60
	for _, url := range []string{"mem://", "file://" + t.TempDir()} {
		_, r := manifest(t, open(t, url), each, numbered("key-%03d", keys)...)
		for _, into := range []int{1, 7, 100} {
			t.Run(fmt.Sprintf("%d buckets are all parts, each in one, in order", into), func(t *testing.T) {
				seen := 0
				for j := range into {
					last := -1
					for p, err := range r.Bucket(t.Context(), j, into) {
						v := number(t, p)
						if err != nil || task.Bucket(p.Key, into) != j || v <= last {
							require.FailNow(t, "not in its place", "bucket %d: %v after %d: %v", j, p, last, err)
						}
						last = v
						seen++
					}
				}
				assert.Equal(t, each*keys, seen)
			})
		}
	}
}

func TestManifestReaderTogether(t *testing.T) {
	t.Run("many goroutines read the same manifest", func(t *testing.T) {
		_, r := manifest(t, open(t, "mem://"), 5000, "a", "b")
		var group sync.WaitGroup
		for g := range 8 {
			group.Go(func() {
				for i := g; i < 10_000; i += 8 {
					p, err := r.Part(t.Context(), i)
					if !assert.NoError(t, err) || !assert.Equal(t, fmt.Sprint(i), string(p.Value)) {
						return
					}
				}
			})
		}
		group.Wait()
	})
	t.Run("a read ends with its context", func(t *testing.T) {
		_, r := manifest(t, open(t, "mem://"), 1000, "a")
		ctx, cancel := context.WithCancel(t.Context())
		cancel()
		_, err := r.Part(ctx, 1)
		require.ErrorIs(t, err, context.Canceled)
		p, err := r.Part(t.Context(), 1)
		require.NoError(t, err, "and leaves no trace")
		assert.Equal(t, value("a", 1), p)
	})
	t.Run("what is not in the list is an error", func(t *testing.T) {
		_, r := manifest(t, open(t, "mem://"), 10, "a")
		for _, i := range []int{-1, 10} {
			_, err := r.Part(t.Context(), i)
			require.ErrorContains(t, err, fmt.Sprintf("there is no part %d of 10", i))
		}
		requireError(t, r.Group(t.Context(), 1), "there is no key 1 of 1")
		requireError(t, r.Bucket(t.Context(), 0, 0), "there is no bucket 0 of 0")
		requireError(t, r.Bucket(t.Context(), 3, 3), "there is no bucket 3 of 3")
	})
}

func requireError(t *testing.T, seq iter.Seq2[task.Part, error], says string) {
	t.Helper()
	n := 0
	for _, err := range seq {
		n++
		require.ErrorContains(t, err, says)
	}
	require.Equal(t, 1, n)
}

// count counts parts, whose values go up from first.
func count(t *testing.T, seq iter.Seq2[task.Part, error], first int) int {
	t.Helper()
	n := 0
	for p, err := range seq {
		require.NoError(t, err)
		require.Equal(t, first+n, number(t, p))
		n++
	}
	return n
}

// number is the value of a part. It is called often, hence no require.
func number(t *testing.T, p task.Part) int {
	n, err := strconv.Atoi(string(p.Value))
	if err != nil {
		t.Fatalf("part %+v: %v", p, err)
	}
	return n
}
