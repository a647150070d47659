package blob

import (
	"context"
	"fmt"
	"iter"
	"slices"
	"strings"

	"github.com/deedrun/deed/task"
)

// KeyNames lists the distinct keys of a list, in order, for a join with others.
// Keys of more than [task.MaxKeyNames] bytes together are not listed: nil.
func (s *Store) KeyNames(ctx context.Context, m task.Manifest) ([]string, error) {
	r, err := s.OpenManifest(ctx, m)
	if err != nil {
		return nil, fmt.Errorf("list the keys of a manifest: %w", err)
	}
	names, size := make([]string, 0, len(r.index.keys)), 0
	for _, key := range r.index.keys {
		if size += len(key.Key); size > task.MaxKeyNames {
			return nil, nil
		}
		names = append(names, key.Key)
	}
	return names, nil
}

// Of yields the parts of a key, in order; none if the list has no such key.
func (r *ManifestReader) Of(ctx context.Context, key string) iter.Seq2[task.Part, error] {
	i, found := slices.BinarySearchFunc(r.index.keys, key, func(k keySpan, key string) int { return strings.Compare(k.Key, key) })
	if !found {
		return func(func(task.Part, error) bool) {}
	}
	return r.Group(ctx, i)
}
