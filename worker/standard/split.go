package standard

import (
	"context"
	"fmt"
	"io"
	"path"
	"strings"
)

// split is deed/split: it cuts each part between records.
func split(ctx context.Context, t Task) error {
	p := &params{task: t}
	f, size := p.format(), p.size("size")
	if p.err != nil {
		return p.err
	}
	return eachPart(t, func(i int, part Part, in io.Reader) error {
		s := splitter{task: t, part: part, size: size}
		return s.run(ctx, f.reader(part.where(i), in, ioBuffer))
	})
}

type splitter struct {
	task   Task
	part   Part
	size   int64
	header header
	out    *output // nil: none was begun
	made   int
}

func (s *splitter) run(ctx context.Context, r *reader) error {
	if err := s.header.take(r); err != nil {
		return err
	}
	for {
		record, err := r.next()
		if err == io.EOF {
			return s.end()
		}
		if err != nil {
			return err
		}
		if s.out == nil || s.out.bytes > 0 && s.out.header+s.out.bytes+int64(len(record)) > s.size {
			if err := s.begin(ctx); err != nil {
				return err
			}
		}
		if err := s.out.write(record); err != nil {
			return err
		}
	}
}

// begin starts the next part.
func (s *splitter) begin(ctx context.Context) (err error) {
	if s.out != nil {
		if err := s.out.close(); err != nil {
			return err
		}
	}
	s.made++
	s.out, err = create(s.task, s.part.Key, numbered(s.part.Name, s.made), s.header.record)
	if err == nil {
		err = ctx.Err()
	}
	return err
}

// end finishes the last part. A file that is nothing but a header becomes one part,
// an empty file none.
func (s *splitter) end() error {
	if s.out == nil && s.header.record != nil {
		if err := s.begin(context.Background()); err != nil {
			return err
		}
	}
	if s.out == nil {
		return nil
	}
	return s.out.close()
}

// numbered is the name of the n-th part of a file: "access.log" gives
// "access-00001.log".
func numbered(name string, n int) string {
	if name == "" {
		return ""
	}
	ending := path.Ext(name)
	if ending == name {
		ending = ""
	}
	return fmt.Sprintf("%s-%05d%s", strings.TrimSuffix(name, ending), n, ending)
}
