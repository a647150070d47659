package blob

import (
	"context"
	"fmt"
	"iter"

	"github.com/deedrun/deed/task"
)

// span is a run of entries of a list.
type span struct{ first, count int }

func (s span) end() int { return s.first + s.count }

// All yields every part in order. An error is the last thing it yields; what
// came before is verified.
func (r *ManifestReader) All(ctx context.Context) iter.Seq2[task.Part, error] {
	return parts(r.entries(ctx, r.whole()))
}

// Group yields the parts of the j-th distinct key, from 0, in order.
func (r *ManifestReader) Group(ctx context.Context, j int) iter.Seq2[task.Part, error] {
	if j < 0 || j >= len(r.index.keys) {
		return failing(fmt.Errorf("manifest %q: there is no key %d of %d", r.manifest.Key, j, len(r.index.keys)))
	}
	key := r.index.keys[j]
	return parts(r.entries(ctx, []span{{key.First, key.Count}}))
}

// Bucket yields the parts whose key belongs to bucket j of into, in order. See
// task.Bucket.
func (r *ManifestReader) Bucket(ctx context.Context, j, into int) iter.Seq2[task.Part, error] {
	if into <= 0 || j < 0 || j >= into {
		return failing(fmt.Errorf("manifest %q: there is no bucket %d of %d", r.manifest.Key, j, into))
	}
	var spans []span
	for _, key := range r.index.keys {
		if task.Bucket(key.Key, into) == j {
			spans = append(spans, span{key.First, key.Count})
		}
	}
	return parts(r.entries(ctx, spans))
}

func (r *ManifestReader) whole() []span {
	if r.index.count == 0 {
		return nil
	}
	return []span{{0, r.index.count}}
}

// entries yields the entries of ascending spans. Chunks that lie side by side
// are one read of the store, however many; a lone chunk goes through the cache.
func (r *ManifestReader) entries(ctx context.Context, spans []span) iter.Seq2[Entry, error] {
	return func(yield func(Entry, error) bool) {
		for rest := spans; len(rest) > 0; {
			first, last, n := r.run(rest)
			if !r.scan(ctx, rest[:n], first, last, yield) {
				return
			}
			rest = rest[n:]
		}
	}
}

// run finds how many of the spans lie in chunks first to last without a chunk
// in between that none of them needs.
func (r *ManifestReader) run(spans []span) (first, last, n int) {
	first = r.index.chunkOf(spans[0].first)
	last = first
	for _, s := range spans {
		if r.index.chunkOf(s.first) > last+1 {
			break
		}
		last = r.index.chunkOf(s.end() - 1)
		n++
	}
	return first, last, n
}

// scan yields the entries of spans, which lie in chunks first to last. It
// reports whether the caller wants more.
func (r *ManifestReader) scan(ctx context.Context, spans []span, first, last int, yield func(Entry, error) bool) bool {
	next, stop, err := r.chunks(ctx, first, last)
	if err != nil {
		yield(Entry{}, err)
		return false
	}
	defer stop()
	for c := first; c <= last; c++ {
		entries, err := next(c)
		if err != nil {
			yield(Entry{}, err)
			return false
		}
		start := r.index.chunks[c].First
		end := start + len(entries)
		for len(spans) > 0 && spans[0].first < end {
			from, to := max(spans[0].first, start), min(spans[0].end(), end)
			for _, e := range entries[from-start : to-start] {
				if !yield(e, nil) {
					return false
				}
			}
			if spans[0].end() > end {
				break
			}
			spans = spans[1:]
		}
	}
	return true
}

// chunks gives access to the chunks first to last, which must be asked for in
// that order.
func (r *ManifestReader) chunks(ctx context.Context, first, last int) (next func(c int) ([]Entry, error), stop func(), err error) {
	if first == last {
		return func(c int) ([]Entry, error) { return r.chunk(ctx, c) }, func() {}, nil
	}
	from, to := r.index.chunks[first], r.index.chunks[last]
	section, err := r.store.section(ctx, r.manifest.Ref, from.Offset, to.Offset+to.Length-from.Offset)
	if err != nil {
		return nil, nil, err
	}
	next = func(c int) ([]Entry, error) { return r.readChunk(ctx, section, c) }
	return next, func() { _ = section.Close() }, nil
}

func parts(entries iter.Seq2[Entry, error]) iter.Seq2[task.Part, error] {
	return func(yield func(task.Part, error) bool) {
		for e, err := range entries {
			if !yield(e.Part, err) {
				return
			}
		}
	}
}

func failing(err error) iter.Seq2[task.Part, error] {
	return func(yield func(task.Part, error) bool) { yield(task.Part{}, err) }
}
