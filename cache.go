package deed

import (
	"context"
	"errors"
	"iter"
	"time"

	"github.com/deedrun/deed/blob"
)

// CacheEntry is what a task left for later ones that are equal.
type CacheEntry struct {
	blob.Cached
	Used time.Time `json:"used"` // written, or last found to be of use, give or take a day
}

// CacheEntries lists what is in the cache, by key. What is damaged is passed over.
func (r *Runtime) CacheEntries(ctx context.Context) iter.Seq2[CacheEntry, error] {
	return func(yield func(CacheEntry, error) bool) {
		for o, err := range r.Blobs.Cache().Keys(ctx) {
			if err != nil {
				yield(CacheEntry{}, err)
				return
			}
			entry, err := r.Blobs.Cache().Entry(ctx, o.Key)
			if errors.Is(err, blob.ErrUncached) {
				continue
			}
			if !yield(CacheEntry{entry, o.ModTime}, err) || err != nil {
				return
			}
		}
	}
}

// ErrRemoteCache says that a server's cache is not cleared from afar.
var ErrRemoteCache = errors.New("the cache of a server is cleared where its blobs can be reached: there, give --data, or --nats and --blobs")

// ClearCache takes entries out of the cache: all of them, or those that tasks of a
// process left, or of one of its steps. It returns how many. What processes took
// from the cache before stays as it is.
func (r *Runtime) ClearCache(ctx context.Context, process, address string) (cleared int, err error) {
	if r.remote != nil {
		return 0, ErrRemoteCache
	}
	var keys []string
	for o, err := range r.Blobs.Cache().Keys(ctx) {
		if err != nil {
			return 0, err
		}
		if process != "" {
			entry, err := r.Blobs.Cache().Entry(ctx, o.Key)
			if err != nil && !errors.Is(err, blob.ErrUncached) {
				return 0, err
			}
			if from := entry.Origin; err != nil || from.Process != process || address != "" && from.Address != address {
				continue
			}
		}
		keys = append(keys, o.Key)
	}
	for _, key := range keys {
		if err := r.Blobs.Cache().Remove(ctx, key); err != nil {
			return cleared, err
		}
		cleared++
	}
	return cleared, nil
}
