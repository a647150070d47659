package blob

import (
	"context"
	"errors"
	"testing"
	"testing/synctest"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

func TestChunkCache(t *testing.T) {
	entries := []Entry{{Index: 7}}
	never := func() ([]Entry, error) { panic("this chunk is loaded already") }

	t.Run("those who want a chunk at the same moment share one read", func(t *testing.T) {
		synctest.Test(t, func(t *testing.T) {
			cache, loading := newChunkCache(), make(chan struct{})
			load := func() ([]Entry, error) { <-loading; return entries, nil }
			go func() { _, _ = cache.get(t.Context(), 1, load) }()
			synctest.Wait()
			got := make(chan []Entry, 5)
			for range cap(got) {
				go func() {
					e, err := cache.get(t.Context(), 1, never)
					assert.NoError(t, err)
					got <- e
				}()
			}
			synctest.Wait()
			close(loading)
			for range cap(got) {
				assert.Equal(t, entries, <-got)
			}
		})
	})
	t.Run("who waits for a read that another cancelled reads for itself", func(t *testing.T) {
		synctest.Test(t, func(t *testing.T) {
			cache := newChunkCache()
			ctx, cancel := context.WithCancel(t.Context())
			go func() {
				_, err := cache.get(ctx, 1, func() ([]Entry, error) { <-ctx.Done(); return nil, ctx.Err() })
				assert.ErrorIs(t, err, context.Canceled)
			}()
			synctest.Wait()
			got := make(chan []Entry)
			go func() {
				e, err := cache.get(t.Context(), 1, func() ([]Entry, error) { return entries, nil })
				assert.NoError(t, err)
				got <- e
			}()
			synctest.Wait()
			cancel()
			assert.Equal(t, entries, <-got)
		})
	})
	t.Run("who waits may give up, and the read goes on", func(t *testing.T) {
		synctest.Test(t, func(t *testing.T) {
			cache, loading := newChunkCache(), make(chan struct{})
			go func() { _, _ = cache.get(t.Context(), 1, func() ([]Entry, error) { <-loading; return entries, nil }) }()
			synctest.Wait()
			ctx, cancel := context.WithCancel(t.Context())
			cancel()
			_, err := cache.get(ctx, 1, never)
			require.ErrorIs(t, err, context.Canceled)
			close(loading)
			synctest.Wait()
			e, err := cache.get(t.Context(), 1, never)
			require.NoError(t, err)
			assert.Equal(t, entries, e)
		})
	})
	t.Run("an error is not kept", func(t *testing.T) {
		cache, broken := newChunkCache(), errors.New("broken")
		_, err := cache.get(t.Context(), 1, func() ([]Entry, error) { return nil, broken })
		require.ErrorIs(t, err, broken)
		_, err = cache.get(t.Context(), 1, func() ([]Entry, error) { return entries, nil })
		require.NoError(t, err)
	})
	t.Run("the chunk used longest ago goes first", func(t *testing.T) {
		cache := newChunkCache()
		load := func() ([]Entry, error) { return entries, nil }
		for c := range cachedChunks {
			_, _ = cache.get(t.Context(), c, load)
		}
		_, _ = cache.get(t.Context(), 0, never)
		_, _ = cache.get(t.Context(), cachedChunks, load)
		_, _ = cache.get(t.Context(), 0, never)
		loaded := false
		_, _ = cache.get(t.Context(), 1, func() ([]Entry, error) { loaded = true; return entries, nil })
		assert.True(t, loaded)
		assert.Len(t, cache.slots, cachedChunks)
	})
}
