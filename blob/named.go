package blob

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"time"
)

// What is below is for blobs that are found by their names alone: nobody holds
// a reference with their digest, so they have to carry their own.

// Names lists the keys that begin with prefix, in order.
func (s *Store) Names(ctx context.Context, prefix string) ([]string, error) {
	var keys []string
	for object, err := range s.list(ctx, prefix, "") {
		if err != nil {
			return nil, fmt.Errorf("list blobs %q: %w", clip(prefix), err)
		}
		keys = append(keys, object.Key)
	}
	return keys, nil
}

// StoreNamed stores bytes under a name that is free; a taken one is an error
// that wraps [ErrExists].
func (s *Store) StoreNamed(ctx context.Context, key string, data []byte) error {
	w, err := s.Create(ctx, key)
	if err != nil {
		return err
	}
	defer w.Abort()
	if _, err := io.Copy(w, bytes.NewReader(data)); err != nil {
		return err
	}
	return w.Close()
}

// ReadNamed reads the blob of a name, which holds at most limit bytes. What it
// returns is what lies there, unverified.
func (s *Store) ReadNamed(ctx context.Context, key string, limit int64) ([]byte, error) {
	if err := CheckKey(key); err != nil {
		return nil, fmt.Errorf("read %w", err)
	}
	r, err := s.named(ctx, key)
	if err != nil {
		return nil, err
	}
	defer r.Close()
	if r.size > limit {
		return nil, fmt.Errorf("read blob %q: it has %d bytes, at most %d are read", key, r.size, limit)
	}
	data, err := io.ReadAll(io.LimitReader(r, limit))
	if err != nil {
		return nil, readError("read blob", key, err)
	}
	return data, nil
}

// Remove removes the blob of a name. One that is not there is no error.
func (s *Store) Remove(ctx context.Context, key string) error {
	if err := CheckKey(key); err != nil {
		return fmt.Errorf("remove %w", err)
	}
	if err := s.remove(ctx, key); err != nil {
		return fmt.Errorf("remove blob %q: %w", key, err)
	}
	return nil
}

// OpenUnverified opens a blob so that it can be read from anywhere in it, and
// says when it was written. Nobody holds what is read against a digest but who
// has one. A blob that is not there is an error that wraps [ErrNotFound].
func (s *Store) OpenUnverified(ctx context.Context, key string) (r io.ReadSeekCloser, written time.Time, err error) {
	if err := CheckKey(key); err != nil {
		return nil, written, fmt.Errorf("open %w", err)
	}
	blob, err := s.named(ctx, key)
	if err != nil {
		return nil, written, err
	}
	return blob, blob.modTime, nil
}
