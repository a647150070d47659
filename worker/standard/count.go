package standard

import (
	"context"
	"io"
)

// counts is what deed/count writes where its output is not declared a number.
type counts struct {
	Parts   int   `json:"parts"`
	Records int64 `json:"records"`
	Bytes   int64 `json:"bytes"`
}

// count is deed/count. Headers are no records, but have bytes.
func count(ctx context.Context, t Task) error {
	p := &params{task: t}
	f := p.format()
	if p.err != nil {
		return p.err
	}
	var n counts
	err := eachPart(t, func(i int, part Part, in io.Reader) error {
		n.Parts++
		counted := &countingReader{in: in}
		r := f.reader(part.where(i), counted, ioBuffer)
		var h header
		if err := h.take(r); err != nil {
			return err
		}
		for {
			_, err := r.next()
			if err == io.EOF {
				n.Bytes += counted.n
				return ctx.Err()
			}
			if err != nil {
				return err
			}
			n.Records++
		}
	})
	switch {
	case err != nil:
		return err
	case t.Wants() == "number":
		return t.Emit(n.Records)
	}
	return t.Emit(n)
}

type countingReader struct {
	in io.Reader
	n  int64
}

func (c *countingReader) Read(b []byte) (int, error) {
	n, err := c.in.Read(b)
	c.n += int64(n)
	return n, err
}
