package standard

import (
	"context"
	"io"
)

// arrangement is what deed/sort and deed/merge are told alike.
type arrangement struct {
	format  format
	order   *order
	reverse bool
	unique  bool
	first   int
	name    string
}

func (p *params) arrangement() arrangement {
	a := arrangement{format: p.format(), reverse: p.truth("reverse"), unique: p.truth("unique"), first: p.number("first", 0, 1<<53), name: p.text("name")}
	a.order = p.order(a.format, p.column("by"))
	return a
}

func (a arrangement) sorter(ctx context.Context, t Task) *sorter {
	return &sorter{ctx: ctx, task: t, whole: len(a.order.by) == 0, reverse: a.reverse, unique: a.unique, first: a.first}
}

// sortRecords is deed/sort.
func sortRecords(ctx context.Context, t Task) error {
	p := &params{task: t}
	a := p.arrangement()
	memory := p.size("memory")
	if p.err != nil {
		return p.err
	}
	parts, err := allParts(t)
	if err != nil {
		return err
	}
	s := a.sorter(ctx, t)
	s.reserve(memory, parts)
	var h header
	err = eachRecord(ctx, t, a.format, a.order, &h, func(key []byte, _ *reader, record []byte) error { return s.add(key, record) })
	if err != nil {
		return err
	}
	return writeAll(t, firstName(a.name, parts), h.record, s.finish)
}

// eachRecord reads the records of all parts with their keys. Both are valid during
// the call only.
func eachRecord(ctx context.Context, t Task, f format, o *order, h *header, do func(key []byte, r *reader, record []byte) error) error {
	var key []byte
	return eachPart(t, func(i int, part Part, in io.Reader) error {
		r := f.reader(part.where(i), in, ioBuffer)
		if err := o.begin(r, h); err != nil {
			return err
		}
		for n := 1; ; n++ {
			record, err := r.next()
			if err == io.EOF {
				return ctx.Err()
			}
			if err == nil {
				key, err = o.key(key[:0], r, record)
			}
			if err == nil {
				err = do(key, r, record)
			}
			if err != nil {
				return err
			}
			if n%4096 == 0 && ctx.Err() != nil {
				return ctx.Err()
			}
		}
	})
}

// writeAll writes what all hands out as one part.
func writeAll(t Task, name string, header []byte, all func(put func(pair) error) error) error {
	out, err := create(t, t.Key(), name, header)
	if err != nil {
		return err
	}
	if err := all(func(p pair) error { return out.write(p.record) }); err != nil {
		return err
	}
	return out.close()
}
