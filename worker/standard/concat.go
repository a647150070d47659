package standard

import (
	"bufio"
	"context"
	"io"
)

// concat is deed/concat: it puts parts together, in their order.
func concat(ctx context.Context, t Task) error {
	p := &params{task: t}
	f, name := p.format(), p.text("name")
	if p.err != nil {
		return p.err
	}
	c := concatenation{task: t, format: f, name: name}
	err := eachPart(t, func(i int, part Part, in io.Reader) error {
		if err := ctx.Err(); err != nil {
			return err
		}
		return c.add(part, f.reader(part.where(i), in, ioBuffer))
	})
	if err == nil && c.out == nil { // there is no part
		c.out, err = create(t, t.Key(), name, nil)
	}
	if err != nil {
		return err
	}
	return c.out.close()
}

type concatenation struct {
	task   Task
	format format
	name   string
	header header
	out    *output
	headed bool
}

func (c *concatenation) add(part Part, r *reader) (err error) {
	if c.out == nil {
		if c.out, err = create(c.task, c.task.Key(), firstName(c.name, []Part{part}), nil); err != nil {
			return err
		}
	}
	if err := c.header.take(r); err != nil {
		return err
	}
	if c.header.record != nil && !c.headed {
		c.headed = true
		if err := c.out.write(c.header.record); err != nil {
			return err
		}
	}
	switch c.format.kind {
	case plain:
		_, err = io.Copy(c.out.to, r.in)
		return err
	case lines:
		return copyLines(c.out.to, r.in)
	}
	for { // of other kinds each record is checked: one that does not end would swallow the next part
		record, err := r.next()
		if err == io.EOF {
			return nil
		}
		if err == nil {
			err = c.out.write(record)
		}
		if err != nil {
			return err
		}
	}
}

// copyLines copies what is left of a part, and ends its last line.
func copyLines(to *bufio.Writer, from *bufio.Reader) error {
	last := byte('\n')
	buffer := make([]byte, ioBuffer)
	for {
		n, err := from.Read(buffer)
		if n > 0 {
			last = buffer[n-1]
			if _, err := to.Write(buffer[:n]); err != nil {
				return err
			}
		}
		switch {
		case err == io.EOF && last != '\n':
			return to.WriteByte('\n')
		case err == io.EOF:
			return nil
		case err != nil:
			return err
		}
	}
}
