package gc

import (
	"context"
	"errors"

	"github.com/deedrun/deed/blob"
	"github.com/deedrun/deed/task"
)

// What tasks left for later ones keeps nothing by itself for long: an entry goes
// when nobody used it for a while, or as soon as something that it refers to is
// kept by no process. But what an entry refers to stays until the collection after
// the one that removes the entry: whoever found it in the meantime has stored by
// then that he refers to the same.

// markCache notes which entries of the cache stay, and what all of them refer to.
// The states of all processes have been read.
func (c *collection) markCache(ctx context.Context) error {
	unused := c.Now().Add(-c.CacheFor)
	for o, err := range c.archive.Blobs.Cache().Keys(ctx) {
		if err != nil {
			return err
		}
		stays, err := c.markEntry(ctx, o.Key)
		if err != nil {
			return err
		}
		if stays && o.ModTime.After(unused) {
			c.entries.Add(o.Key)
		}
	}
	return nil
}

// markEntry reports whether all that an entry refers to is kept by some process.
func (c *collection) markEntry(ctx context.Context, key string) (stays bool, err error) {
	entry, err := c.archive.Blobs.Cache().Entry(ctx, key)
	if errors.Is(err, blob.ErrUncached) {
		return false, nil // it is damaged, or was removed meanwhile
	}
	if err != nil {
		return false, err
	}
	stays = true
	for p, err := range c.archive.Blobs.Cache().Parts(ctx, entry) {
		if blob.Useless(err) {
			return false, nil
		}
		if err != nil {
			return false, err
		}
		stays = c.markCached(p.Ref) && stays
	}
	if entry.List != nil { // no process refers to that
		c.cached.Add(entry.List.Key)
	}
	return stays, nil
}

func (c *collection) markCached(ref *task.Ref) (kept bool) {
	if ref == nil || ref.Elsewhere() {
		return true
	}
	kind, process := blob.Classify(ref.Key)
	kept = c.keptByProcess(ref.Key, kind, process)
	c.cached.Add(ref.Key)
	return kept
}
