package blob

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"io"
	"slices"
	"strings"

	"github.com/deedrun/deed/task"
)

// maxInlineDataset is how many bytes of encoded parts a Dataset carries itself;
// more go into a manifest.
const maxInlineDataset = 64 << 10

// Dataset describes a list of parts, such as an input that a person gives. It
// orders them by key, bytewise; parts of one key stay in the given order. A
// short list stays inline. A long one becomes a manifest under keyPrefix, named
// after its content: doing it again gives the same Dataset and stores nothing.
func (s *Store) Dataset(ctx context.Context, keyPrefix string, parts []task.Part) (task.Dataset, error) {
	ordered, inline, err := normalParts(parts)
	if err != nil {
		return task.Dataset{}, fmt.Errorf("describe dataset: %w", err)
	}
	if inline {
		return task.Inline(ordered), nil
	}
	data, err := s.storeParts(ctx, keyPrefix, ordered)
	if err != nil {
		return task.Dataset{}, fmt.Errorf("store dataset: %w", err)
	}
	return data, nil
}

// normalParts is a sorted copy of a list, and whether its encoding stays
// within maxInlineDataset.
func normalParts(parts []task.Part) (ordered []task.Part, inline bool, err error) {
	size := len("[]")
	for i, p := range parts {
		err := checkPart(p)
		if err == nil {
			p, err = normal(p)
		}
		if err != nil {
			return nil, false, fmt.Errorf("part %d: %w", i, err)
		}
		ordered = append(ordered, p)
		if size <= maxInlineDataset {
			encoded, err := json.Marshal(p)
			if err != nil {
				return nil, false, fmt.Errorf("part %d: %w", i, err)
			}
			size += len(encoded) + len(",")
		}
	}
	slices.SortStableFunc(ordered, func(a, b task.Part) int { return strings.Compare(a.Key, b.Key) })
	return ordered, size <= maxInlineDataset, nil
}

// storeParts encodes the list twice: to learn what its key is, and to store it.
func (s *Store) storeParts(ctx context.Context, keyPrefix string, ordered []task.Part) (task.Dataset, error) {
	sum := sha256.New()
	size := &counter{}
	data, err := encodeParts(io.MultiWriter(sum, size), ordered)
	if err != nil {
		return task.Dataset{}, err
	}
	digest := hex.EncodeToString(sum.Sum(nil))
	ref := task.Ref{Key: contentKey(keyPrefix, digest), Size: size.n, SHA256: digest}
	err = s.putOnce(ctx, ref, func(w io.Writer) error {
		_, err := encodeParts(w, ordered)
		return err
	})
	if err != nil {
		return task.Dataset{}, err
	}
	data.Manifest.Ref = ref
	return data, nil
}

// encodeParts writes the manifest of a list: part i is what task i wrote.
func encodeParts(w io.Writer, ordered []task.Part) (task.Dataset, error) {
	enc := newManifestEncoder(w)
	for i, p := range ordered {
		if err := enc.add(Entry{Index: i, Part: p}); err != nil {
			return task.Dataset{}, fmt.Errorf("part %d: %w", i, err)
		}
	}
	manifest, err := enc.finish()
	if err != nil {
		return task.Dataset{}, err
	}
	data := enc.dataset()
	data.Manifest = &manifest
	return data, nil
}
