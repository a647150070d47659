package blob

import (
	"container/heap"
	"context"
	"fmt"
	"iter"
	"slices"

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
	c := &contributions{data: seal.Data, ordinals: map[int]int{}}
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
		if source.Report == nil {
			continue
		}
		for p, err := range s.ReadReport(ctx, *source.Report) {
			if err != nil {
				return nil, fmt.Errorf("source %d: %w", i, err)
			}
			if source.Tasks.Contains(p.Index) {
				c.add(p)
			}
		}
	}
	slices.SortFunc(c.entries, Entry.compare)
	return c.entries, nil
}

// contributions is what reports contribute to one name.
type contributions struct {
	data     string
	claimed  task.Ranges
	ordinals map[int]int // next ordinal of a task
	entries  []Entry
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
	c.entries = append(c.entries, Entry{Index: p.Index, Ordinal: c.ordinals[p.Index], Part: p.Part})
	c.ordinals[p.Index]++
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

// merge hands the entries of ordered streams to add in one order.
func merge(streams []iter.Seq2[Entry, error], add func(Entry) error) error {
	heads := &headHeap{}
	for _, stream := range streams {
		next, stop := iter.Pull2(stream)
		defer stop()
		e, err, ok := next()
		if err != nil {
			return err
		}
		if ok {
			*heads = append(*heads, head{e, next})
		}
	}
	heap.Init(heads)
	for heads.Len() > 0 {
		first := &(*heads)[0]
		if err := add(first.entry); err != nil {
			return err
		}
		e, err, ok := first.next()
		switch {
		case err != nil:
			return err
		case ok:
			first.entry = e
			heap.Fix(heads, 0)
		default:
			heap.Pop(heads)
		}
	}
	return nil
}

// head is the next entry of a stream.
type head struct {
	entry Entry
	next  func() (Entry, error, bool)
}

type headHeap []head

func (h headHeap) Len() int           { return len(h) }
func (h headHeap) Less(i, j int) bool { return h[i].entry.compare(h[j].entry) < 0 }
func (h headHeap) Swap(i, j int)      { h[i], h[j] = h[j], h[i] }
func (h *headHeap) Push(x any)        { *h = append(*h, x.(head)) }

func (h *headHeap) Pop() any {
	old := *h
	last := old[len(old)-1]
	*h = old[:len(old)-1]
	return last
}
