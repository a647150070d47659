package blobtest

import (
	"cmp"
	"context"
	"fmt"
	"io"
	"slices"
	"strings"
	"sync"
	"testing"

	"github.com/deedrun/deed/blob"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

func writing(t *testing.T, b Backend) {
	t.Run("what was written is named by key, size and SHA-256", func(t *testing.T) {
		assert.Equal(t, refOf("w/named", "hello"), b.put(t, "w/named", "hello"))
		assert.Equal(t, refOf("w/empty", ""), b.put(t, "w/empty", ""))
	})
	t.Run("a key that exists is refused at the end, and its blob stays", func(t *testing.T) {
		ref := b.put(t, "w/taken", "first")
		w, err := b.Store.Create(t.Context(), "w/taken")
		require.NoError(t, err)
		_, err = io.WriteString(w, "second")
		require.NoError(t, err)
		require.ErrorIs(t, w.Close(), blob.ErrExists)
		assert.Zero(t, w.Ref())
		data, err := b.Store.ReadAll(t.Context(), ref, 100)
		require.NoError(t, err)
		assert.Equal(t, "first", string(data))
	})
	t.Run("of many writers of one key exactly one succeeds", func(t *testing.T) {
		for round := range b.races() {
			oneWriterWins(t, b, fmt.Sprintf("raced/%d", round))
		}
	})
	t.Run("an aborted write leaves nothing", func(t *testing.T) {
		w, err := b.Store.Create(t.Context(), "w/aborted")
		require.NoError(t, err)
		_, err = io.WriteString(w, strings.Repeat("x", 100_000))
		require.NoError(t, err)
		w.Abort()
		w.Abort()
		require.Error(t, w.Close())
		assert.Zero(t, w.Ref())
		assert.NotContains(t, b.stored(t), "w/aborted")
		b.put(t, "w/aborted", "the key is still free")
	})
	t.Run("a write whose context ends leaves nothing", func(t *testing.T) {
		ctx, cancel := context.WithCancel(t.Context())
		w, err := b.Store.Create(ctx, "w/cancelled")
		require.NoError(t, err)
		_, err = io.WriteString(w, "x")
		require.NoError(t, err)
		cancel()
		_, err = io.WriteString(w, "x")
		require.ErrorIs(t, err, context.Canceled)
		require.ErrorIs(t, w.Close(), context.Canceled)
		assert.NotContains(t, b.stored(t), "w/cancelled")
	})
	t.Run("abort after close keeps the blob, and closing again says the same", func(t *testing.T) {
		w, err := b.Store.Create(t.Context(), "w/closed")
		require.NoError(t, err)
		require.NoError(t, w.Close())
		w.Abort()
		require.NoError(t, w.Close())
		assert.Equal(t, refOf("w/closed", ""), w.Ref())
		_, err = io.WriteString(w, "x")
		require.ErrorContains(t, err, "closed")
	})
	t.Run("nothing but blobs lies in the store", func(t *testing.T) {
		others := slices.DeleteFunc(b.stored(t), func(key string) bool { return strings.HasPrefix(key, "raced/") })
		assert.ElementsMatch(t, []string{"w/named", "w/empty", "w/taken", "w/aborted", "w/closed"}, others)
		assert.Len(t, b.stored(t), b.races()+len(others))
	})
}

func (b Backend) races() int { return cmp.Or(b.Races, 100) }

func oneWriterWins(t *testing.T, b Backend, key string) {
	const writers = 8
	errs := make([]error, writers)
	begin := make(chan struct{})
	var group sync.WaitGroup
	for i := range writers {
		w, err := b.Store.Create(t.Context(), key)
		require.NoError(t, err)
		_, err = fmt.Fprint(w, i)
		require.NoError(t, err)
		group.Go(func() {
			<-begin
			errs[i] = w.Close()
		})
	}
	close(begin)
	group.Wait()
	winner := -1
	for i, err := range errs {
		if err != nil {
			require.ErrorIs(t, err, blob.ErrExists)
			continue
		}
		require.Equal(t, -1, winner, "two writers succeeded")
		winner = i
	}
	data, err := b.Raw.ReadAll(t.Context(), key)
	require.NoError(t, err)
	assert.Equal(t, fmt.Sprint(winner), string(data))
}

func keys(t *testing.T, b Backend) {
	for _, key := range []string{
		"k", "süß/日本/😀", "a b&c=d?e#f%2F", "dots.../...x/.hidden", `quote"s'and\back`,
		strings.Repeat("long-segment/", 76) + "end",
	} {
		t.Run(fmt.Sprintf("%.30q names a blob", key), func(t *testing.T) {
			ref := b.put(t, key, key)
			data, err := b.Store.ReadAll(t.Context(), ref, 2000)
			require.NoError(t, err)
			assert.Equal(t, key, string(data))
			assert.Contains(t, b.stored(t), key)
		})
	}
	before := b.stored(t)
	for _, key := range []string{
		"", "/", "/etc/passwd", "..", "../out", "a/../../out", "a/..", "a/./b", "a//b", "a/",
		"a\x00b", "a\nb", "a\x7fb", "\xff", "x.attrs", "a..__0x2f__b", strings.Repeat("x", 1000), strings.Repeat("a/", 600) + "a",
	} {
		t.Run(fmt.Sprintf("%.30q is refused, for writing and for reading", key), func(t *testing.T) {
			_, err := b.Store.Create(t.Context(), key)
			require.ErrorContains(t, err, "blob key")
			_, err = b.Store.Open(t.Context(), refOf(key, ""))
			require.ErrorContains(t, err, "blob key")
		})
	}
	assert.Equal(t, before, b.stored(t))
}
