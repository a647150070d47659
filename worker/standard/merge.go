package standard

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"slices"
)

// mergeSorted is deed/merge. Parts that are not sorted as the step says are refused:
// merging them would give something that looks sorted.
func mergeSorted(ctx context.Context, t Task) error {
	p := &params{task: t}
	a := p.arrangement()
	if p.err != nil {
		return p.err
	}
	parts, err := allParts(t)
	if err != nil {
		return err
	}
	m := &merger{arrangement: a, sorter: a.sorter(ctx, t)}
	if len(parts) > fanIn {
		if err := m.shorten(parts); err != nil {
			return err
		}
		return writeAll(t, firstName(a.name, parts), m.header.record, m.sorter.finish)
	}
	streams, err := m.open(parts, 0)
	if err != nil {
		return m.end(streams, err)
	}
	// The header is known only now, and goes first.
	err = writeAll(t, firstName(a.name, parts), m.header.record, func(put func(pair) error) error {
		return m.end(streams, merge(ctx, streams, a.reverse, m.sorter.sink(put)))
	})
	return err
}

type merger struct {
	arrangement

	sorter *sorter
	header header
}

// shorten merges many parts to few runs on disk.
func (m *merger) shorten(parts []Part) error {
	i := 0
	for some := range slices.Chunk(parts, fanIn) {
		file, err := m.sorter.newRun()
		if err != nil {
			return err
		}
		w, err := writeRun(file, m.sorter.whole)
		if err != nil {
			return err
		}
		streams, err := m.open(some, i)
		if err == nil {
			err = merge(m.sorter.ctx, streams, m.reverse, m.sorter.sink(w.put))
		}
		if err := closing(m.end(streams, err), w); err != nil {
			return err
		}
		m.sorter.runs = append(m.sorter.runs, file)
		i += len(some)
	}
	return nil
}

// open opens parts, of which the first is the i-th; the caller ends what was opened.
func (m *merger) open(parts []Part, i int) (streams []stream, err error) {
	for n, part := range parts {
		where := part.where(i + n)
		in, err := part.Open()
		if err != nil {
			return streams, fmt.Errorf("%s: %w", where, err)
		}
		s := &partStream{merger: m, in: in, reader: m.format.reader(where, in, runBuffer)}
		streams = append(streams, s)
		if err := m.order.begin(s.reader, &m.header); err != nil {
			return streams, located(where, err)
		}
	}
	return streams, nil
}

// end closes parts. What was not wanted is read nevertheless: only at its end is it
// known that the bytes are those that were written.
func (m *merger) end(streams []stream, err error) error {
	for _, s := range streams {
		p := s.(*partStream)
		if err == nil {
			_, err = io.Copy(io.Discard, p.reader.in)
		}
		err = closing(err, p.in)
	}
	return err
}

// partStream is a part that is sorted already.
type partStream struct {
	*merger

	in     io.ReadCloser
	reader *reader
	n      int
	key    []byte
	last   []byte
}

func (s *partStream) next() (pair, error) {
	record, err := s.reader.next()
	if err != nil {
		if err != io.EOF {
			err = located(s.reader.where, err)
		}
		return pair{}, err
	}
	s.last, s.key = s.key, s.last
	if s.key, err = s.order.key(s.key[:0], s.reader, record); err != nil {
		return pair{}, err
	}
	c := bytes.Compare(s.last, s.key)
	if s.reverse {
		c = -c
	}
	if s.n++; s.n > 1 && c > 0 {
		return pair{}, s.reader.fault("the record belongs before the one above it, so the part is not sorted as the step says: sort it by deed/sort first")
	}
	return pair{s.key, record}, nil
}
