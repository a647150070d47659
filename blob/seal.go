package blob

import (
	"cmp"
	"context"
	"fmt"
	"iter"
	"slices"

	"golang.org/x/sync/errgroup"

	"github.com/deedrun/deed/task"
)

// Seal merges what the sources contribute to one name into one manifest under
// key, ordered by (key, index, ordinal), where the ordinal counts what a task
// wrote to that name. A report speaks for the tasks of its source only; inline
// parts too, if their source names tasks, and they come before those of the
// report of the same source. Manifests of earlier merges are streamed, and so is
// the manifest of a task whose parts another process wrote: there all of it is
// that task's. The parts of reports are held in memory, so the caller bounds
// them by merging in rounds. The result without parts has no Manifest.
func (s *Store) Seal(ctx context.Context, key string, seal task.Seal) (task.Dataset, error) {
	data, err := s.seal(ctx, key, seal)
	if err != nil {
		return task.Dataset{}, fmt.Errorf("seal %q: %w", seal.Data, err)
	}
	return data, nil
}

func (s *Store) seal(ctx context.Context, key string, seal task.Seal) (task.Dataset, error) {
	reported, err := s.reported(ctx, seal)
	if err != nil {
		return task.Dataset{}, err
	}
	streams := []iter.Seq2[Entry, error]{inMemory(reported)}
	for i, source := range seal.Sources {
		if source.Merged == nil || ofOther(source, seal.Data) {
			continue
		}
		stream, err := s.merged(ctx, source)
		if err != nil {
			return task.Dataset{}, fmt.Errorf("source %d: %w", i, err)
		}
		streams = append(streams, stream)
	}
	w, err := s.NewManifest(ctx, key)
	if err != nil {
		return task.Dataset{}, err
	}
	defer w.Abort()
	if err := merge(streams, w.Add); err != nil {
		return task.Dataset{}, err
	}
	return w.Close()
}

// ofOther reports whether a source is what a task wrote to another name.
func ofOther(source task.Source, data string) bool {
	return source.Merged != nil && len(source.Tasks) > 0 && source.Data != data
}

// merged streams the manifest of a source: entries as an earlier merge left
// them, or, if the source names a task, all as what that task wrote.
func (s *Store) merged(ctx context.Context, source task.Source) (iter.Seq2[Entry, error], error) {
	if len(source.Tasks) > 0 && source.Tasks.Len() != 1 {
		return nil, fmt.Errorf("its list is said to be of the tasks %v, it can only be of one", source.Tasks)
	}
	r, err := s.OpenManifest(ctx, *source.Merged)
	if err != nil {
		return nil, err
	}
	entries := r.entries(ctx, r.whole())
	if len(source.Tasks) == 0 {
		return entries, nil
	}
	return ofTask(source.Tasks[0].First, entries), nil
}

// ofTask makes entries those of one task, in their order. They come by key, so
// their ordinals rise within each.
func ofTask(index int, entries iter.Seq2[Entry, error]) iter.Seq2[Entry, error] {
	return func(yield func(Entry, error) bool) {
		ordinal := 0
		for e, err := range entries {
			e.Index, e.Ordinal = index, ordinal
			ordinal++
			if !yield(e, err) {
				return
			}
		}
	}
}

// reported collects the entries of reports and inline parts, in order.
func (s *Store) reported(ctx context.Context, seal task.Seal) ([]Entry, error) {
	reports, err := s.readAll(ctx, seal)
	if err != nil {
		return nil, err
	}
	total := 0
	for i, source := range seal.Sources {
		total += len(source.Parts) + len(reports[i])
	}
	c := &contributions{data: seal.Data, entries: make([]Entry, 0, total)}
	for i, source := range seal.Sources {
		if ofOther(source, seal.Data) {
			continue
		}
		if err := c.claim(source.Tasks); err != nil {
			return nil, fmt.Errorf("source %d: %w", i, err)
		}
		for _, p := range source.Parts {
			if len(source.Tasks) == 0 || source.Tasks.Contains(p.Index) {
				c.add(p)
			}
		}
		for _, p := range reports[i] {
			c.add(p)
		}
		reports[i] = nil
	}
	return c.ordered(), nil
}

// readAll reads what the reports of the sources say of their tasks, several at a
// time: who merges has nothing else to do, and the last step of many waits for it.
func (s *Store) readAll(ctx context.Context, seal task.Seal) ([][]task.Produced, error) {
	reports := make([][]task.Produced, len(seal.Sources))
	group, ctx := errgroup.WithContext(ctx)
	group.SetLimit(reportsAtOnce)
	for i, source := range seal.Sources {
		if source.Report == nil || ofOther(source, seal.Data) {
			continue
		}
		group.Go(func() error {
			reports[i] = make([]task.Produced, 0, min(source.Tasks.Len(), likelyParts))
			for p, err := range s.ReadReport(ctx, *source.Report) {
				if err != nil {
					return fmt.Errorf("source %d: %w", i, err)
				}
				if p.Data == seal.Data && source.Tasks.Contains(p.Index) {
					reports[i] = append(reports[i], p)
				}
			}
			return nil
		})
	}
	return reports, group.Wait()
}

const (
	reportsAtOnce = 4    // that are read
	likelyParts   = 4096 // of a report, at most: there may be more, or fewer
)

// contributions is what reports contribute to one name.
type contributions struct {
	data    string
	claimed task.Ranges
	entries []Entry
}

// claim makes sure that no task is spoken for twice.
func (c *contributions) claim(tasks task.Ranges) error {
	union := c.claimed.Union(tasks)
	if union.Len() != c.claimed.Len()+tasks.Len() {
		return fmt.Errorf("an earlier source speaks for some of its tasks %v", tasks)
	}
	c.claimed = union
	return nil
}

func (c *contributions) add(p task.Produced) {
	if p.Data != c.data {
		return
	}
	c.entries = append(c.entries, Entry{Index: p.Index, Part: p.Part})
}

// ordered numbers what each task wrote, in the order in which it was added, and
// brings all of it in order.
func (c *contributions) ordered() []Entry {
	slices.SortStableFunc(c.entries, func(a, b Entry) int { return cmp.Compare(a.Index, b.Index) })
	for i := 1; i < len(c.entries); i++ {
		if before := c.entries[i-1]; before.Index == c.entries[i].Index {
			c.entries[i].Ordinal = before.Ordinal + 1
		}
	}
	slices.SortFunc(c.entries, Entry.compare)
	return c.entries
}

func inMemory(entries []Entry) iter.Seq2[Entry, error] {
	return func(yield func(Entry, error) bool) {
		for _, e := range entries {
			if !yield(e, nil) {
				return
			}
		}
	}
}
