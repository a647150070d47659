package blob

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"iter"
	"time"

	"golang.org/x/sync/errgroup"

	"github.com/deedrun/deed/task"
)

// Cached is what a task left for later ones that are equal. It lies under
// cache/<its key> and is never believed alone: it carries its own digest, and
// the blobs that it refers to are looked for before it is used. Whatever is
// wrong with it, the task is executed. Who writes it again replaces it.
type Cached struct {
	Key         string            `json:"key"` // see task.CacheKey
	Origin      task.Attempt      `json:"origin"`
	At          time.Time         `json:"at"`
	Ingredients []task.Ingredient `json:"ingredients"`
	Parts       []task.Produced   `json:"parts,omitempty"` // Data is the local name of the output, Index the origin's
	List        *task.Ref         `json:"list,omitempty"`  // instead of Parts: a report that has them
}

// Cache is what tasks left in a store for later ones that are equal.
type Cache struct{ store *Store }

// Cache is that of the store.
func (s *Store) Cache() Cache { return Cache{s} }

const (
	cachePrefix = "cache"
	cacheLimit  = 1 << 20   // bytes of an entry
	cacheInline = 256 << 10 // bytes of parts in it, about
	cacheRenew  = 24 * time.Hour
)

// ErrUncached says that there is nothing of use under a key of the cache.
var ErrUncached = errors.New("not in the cache")

func cacheKey(key string) (string, error) {
	if err := checkSHA256(cachePrefix, key); err != nil {
		return "", fmt.Errorf("cache: %q is no key of 64 hexadecimal digits", clip(key))
	}
	return contentKey(cachePrefix, key), nil
}

// Store stores an entry, in the place of one that is there. A list of parts
// that is too long for it becomes a report under listKey.
func (c Cache) Store(ctx context.Context, e Cached, listKey string) error {
	key, err := cacheKey(e.Key)
	if err != nil {
		return err
	}
	size := 0
	for _, p := range e.Parts {
		size += 300 + 2*(len(p.Key)+len(p.Name)+len(p.Value))
	}
	if size > cacheInline {
		list, err := c.store.WriteReport(ctx, listKey, e.Parts)
		if err != nil {
			return err
		}
		e.Parts, e.List = nil, &list
	}
	body, err := json.Marshal(e)
	if err != nil {
		return fmt.Errorf("encode entry %q of the cache: %w", e.Key, err)
	}
	if len(body) > cacheLimit-100 {
		return fmt.Errorf("entry %q of the cache has %d bytes, at most %d are stored", e.Key, len(body), cacheLimit)
	}
	return c.put(ctx, key, body)
}

func (c Cache) put(ctx context.Context, key string, body []byte) error {
	w, err := c.store.create(ctx, key, true)
	if err != nil {
		return err
	}
	defer w.Abort()
	if _, err := w.Write(append(cachedHead(body), body...)); err != nil {
		return err
	}
	return w.Close()
}

func cachedHead(body []byte) []byte {
	sum := sha256.Sum256(body)
	return []byte("deed cache " + hex.EncodeToString(sum[:]) + "\n")
}

// Entry reads an entry as it is, whatever became of what it refers to. One that
// is not there, or is damaged, is an error that wraps [ErrUncached].
func (c Cache) Entry(ctx context.Context, key string) (Cached, error) {
	e, _, _, err := c.read(ctx, key)
	return e, err
}

func (c Cache) read(ctx context.Context, key string) (e Cached, body []byte, written time.Time, err error) {
	name, err := cacheKey(key)
	if err != nil {
		return e, nil, written, err
	}
	r, err := c.store.bucket.NewReader(ctx, name, nil)
	if isNotFound(err) {
		return e, nil, written, ErrUncached
	}
	if err != nil {
		return e, nil, written, readError("read the cache", name, err)
	}
	defer r.Close()
	data, err := io.ReadAll(io.LimitReader(r, cacheLimit))
	if err != nil {
		return e, nil, written, readError("read the cache", name, err)
	}
	head, body, _ := bytes.Cut(data, []byte("\n"))
	if !bytes.Equal(append(head, '\n'), cachedHead(body)) {
		return e, nil, written, fmt.Errorf("entry %q is damaged: %w", name, ErrUncached)
	}
	if err := json.Unmarshal(body, &e); err != nil || e.Key != key {
		return e, nil, written, fmt.Errorf("entry %q is of another key, or of a newer version: %w", name, ErrUncached)
	}
	if err := e.check(); err != nil {
		return e, nil, written, fmt.Errorf("entry %q: %w: %w", name, err, ErrUncached)
	}
	return e, body, r.ModTime(), nil
}

// check says why an entry is none that anybody could use.
func (e *Cached) check() error {
	if e.List != nil {
		return checkRef(*e.List)
	}
	for _, p := range e.Parts {
		if err := checkPart(p.Part); err != nil {
			return err
		}
	}
	return nil
}

// LookUp is an entry whose blobs are all there, at their sizes: what they
// hold is verified by whoever reads them. That it is of use is noted now and then,
// so that it is not swept. The error for one that is not wraps [ErrUncached];
// any other says that the store could not be asked.
func (c Cache) LookUp(ctx context.Context, key string) (Cached, error) {
	e, body, written, err := c.read(ctx, key)
	if err != nil {
		return e, err
	}
	group, each := errgroup.WithContext(ctx)
	group.SetLimit(sweepers)
	for p, err := range c.Parts(ctx, e) {
		if err != nil {
			_ = group.Wait()
			return e, unlessEnded(ctx, err)
		}
		if p.Ref == nil || p.Ref.Elsewhere() {
			continue
		}
		group.Go(func() error {
			attrs, err := c.store.bucket.Attributes(each, p.Ref.Key)
			switch {
			case isNotFound(err):
				return fmt.Errorf("blob %q is gone: %w", p.Ref.Key, ErrUncached)
			case err != nil:
				return readError("look for blob", p.Ref.Key, err)
			case attrs.Size != p.Ref.Size:
				return fmt.Errorf("%w: %w", sizeError(*p.Ref, attrs.Size), ErrUncached)
			}
			return nil
		})
	}
	if err := group.Wait(); err != nil {
		return e, err
	}
	if time.Since(written) >= cacheRenew {
		name, _ := cacheKey(key) // it was read under that
		if err := c.put(ctx, name, body); err != nil {
			return e, fmt.Errorf("renew entry %q of the cache: %w", key, err)
		}
	}
	return e, nil
}

// unlessEnded makes what is wrong with a list of parts a reason not to use the entry.
func unlessEnded(ctx context.Context, err error) error {
	if ctx.Err() == nil && Useless(err) {
		return fmt.Errorf("%w: %w", err, ErrUncached)
	}
	return err
}

// Useless reports whether an error of [Cache.Parts] says that the list of an entry is
// none, and not that the store could not be asked.
func Useless(err error) bool {
	var corrupt *CorruptError
	return errors.Is(err, ErrNotFound) || errors.As(err, &corrupt) || Lasting(err)
}

// Parts yields the parts of an entry. An error is the last thing it yields.
func (c Cache) Parts(ctx context.Context, e Cached) iter.Seq2[task.Produced, error] {
	if e.List != nil {
		return c.store.ReadReport(ctx, *e.List)
	}
	return func(yield func(task.Produced, error) bool) {
		for _, p := range e.Parts {
			if !yield(p, nil) {
				return
			}
		}
	}
}

// Keys lists the keys that there are entries under, in order.
func (c Cache) Keys(ctx context.Context) iter.Seq2[Object, error] {
	return func(yield func(Object, error) bool) {
		for o, err := range c.store.list(ctx, cachePrefix+"/", "") {
			if err != nil {
				yield(Object{}, fmt.Errorf("list the cache: %w", err))
				return
			}
			key, ok := CachedUnder(o.Key)
			if ok && !yield(Object{Key: key, Size: o.Size, ModTime: o.ModTime}, nil) {
				return
			}
		}
	}
}

// CachedUnder is the key of the entry that a blob is.
func CachedUnder(blobKey string) (key string, ok bool) {
	if kind, _ := Classify(blobKey); kind != KindCache {
		return "", false
	}
	return blobKey[len(cachePrefix)+1:len(cachePrefix)+3] + blobKey[len(cachePrefix)+4:], true
}

// Remove removes the entry of a key. One that is not there is no error.
func (c Cache) Remove(ctx context.Context, key string) error {
	name, err := cacheKey(key)
	if err != nil {
		return err
	}
	return c.store.Remove(ctx, name)
}
