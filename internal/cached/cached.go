// Package cached is the results that tasks left for later ones that are equal: what
// there is, how it is cleared, and why a task was executed or whose result it took.
package cached

import (
	"context"
	"errors"
	"iter"
	"time"

	"github.com/deedrun/deed/blob"
)

// Entry is what a task left for later ones that are equal.
type Entry struct {
	blob.Cached
	Used time.Time `json:"used"` // written, or last found to be of use, give or take a day
}

// Entries lists what is in a cache, by key. What is damaged is passed over.
func Entries(ctx context.Context, cache blob.Cache) iter.Seq2[Entry, error] {
	return func(yield func(Entry, error) bool) {
		for o, err := range cache.Keys(ctx) {
			if err != nil {
				yield(Entry{}, err)
				return
			}
			entry, err := cache.Entry(ctx, o.Key)
			if errors.Is(err, blob.ErrUncached) {
				continue
			}
			if !yield(Entry{entry, o.ModTime}, err) || err != nil {
				return
			}
		}
	}
}

// Clear takes entries out of a cache: all of them, or those that tasks of a process
// left, or of one of its steps. It returns how many. What processes took from the
// cache before stays as it is.
func Clear(ctx context.Context, cache blob.Cache, process, address string) (cleared int, err error) {
	var keys []string
	for o, err := range cache.Keys(ctx) {
		if err != nil {
			return 0, err
		}
		if process != "" {
			entry, err := cache.Entry(ctx, o.Key)
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
		if err := cache.Remove(ctx, key); err != nil {
			return cleared, err
		}
		cleared++
	}
	return cleared, nil
}
