package blob

import (
	"context"
	"hash/maphash"
	"slices"

	"github.com/deedrun/deed/task"
)

// Keys is a set of keys that only grows. It holds 8 bytes a key, a digest, so
// it may take a key for one of its own that is none, and never the reverse: who
// keeps what is in the set keeps all of it, and a blob too much once in a
// thousand years. The zero Keys is empty. Not safe for concurrent use.
type Keys struct {
	seed   maphash.Seed
	all    []uint64
	sorted int // of all, without repeats; the rest is as it came
}

// Add puts a key into the set.
func (k *Keys) Add(key string) {
	if k.all == nil {
		k.seed = maphash.MakeSeed()
	}
	k.all = append(k.all, maphash.String(k.seed, key))
	if len(k.all) >= 2*k.sorted+1024 { // what many processes share comes once for each
		k.sort()
	}
}

// Has reports whether a key is in the set.
func (k *Keys) Has(key string) bool {
	if len(k.all) == 0 {
		return false
	}
	if k.sorted < len(k.all) {
		k.sort()
	}
	_, found := slices.BinarySearch(k.all, maphash.String(k.seed, key))
	return found
}

func (k *Keys) sort() {
	slices.Sort(k.all)
	k.all = slices.Compact(k.all)
	k.sorted = len(k.all)
}

// AddDataset puts in all that a dataset needs: its list and the parts in it.
func (k *Keys) AddDataset(ctx context.Context, s *Store, d task.Dataset) error {
	for _, p := range d.Parts {
		k.addPart(p)
	}
	if d.Manifest == nil {
		return nil
	}
	return k.addManifest(ctx, s, *d.Manifest)
}

// AddSource puts in all that a report claims, or an earlier merge holds.
func (k *Keys) AddSource(ctx context.Context, s *Store, source task.Source) error {
	for _, p := range source.Parts {
		k.addPart(p.Part)
	}
	if source.Report != nil {
		k.Add(source.Report.Key)
		for p, err := range s.ReadReport(ctx, *source.Report) {
			if err != nil {
				return err
			}
			k.addPart(p.Part)
		}
	}
	if source.Merged == nil {
		return nil
	}
	return k.addManifest(ctx, s, *source.Merged)
}

func (k *Keys) addManifest(ctx context.Context, s *Store, m task.Manifest) error {
	k.Add(m.Key)
	list, err := s.OpenManifest(ctx, m)
	if err != nil {
		return err
	}
	for p, err := range list.All(ctx) {
		if err != nil {
			return err
		}
		k.addPart(p)
	}
	return nil
}

func (k *Keys) addPart(p task.Part) {
	if p.Ref != nil && !p.Ref.Elsewhere() { // what lies elsewhere is nobody's to remove
		k.Add(p.Ref.Key)
	}
}
