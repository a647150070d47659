package standard

import (
	"context"
	"errors"
	"fmt"
	"io"
	"strings"

	"github.com/klauspost/compress/gzip"
	"github.com/klauspost/compress/zstd"
)

// transformation makes one part of another.
type transformation struct {
	name  func(string) string
	apply func(to io.Writer, from *source) error
}

// transform is a handler that makes a part of each part, with the same key.
func transform(prepare func(p *params) transformation) Handler {
	return func(ctx context.Context, t Task) error {
		p := &params{task: t}
		how := prepare(p)
		if p.err != nil {
			return p.err
		}
		return eachPart(t, func(i int, part Part, in io.Reader) error {
			out, err := create(t, part.Key, how.name(part.Name), nil)
			if err != nil {
				return err
			}
			from := &source{ctx: ctx, in: in, where: part.where(i)}
			if err := how.apply(out.to, from); err != nil {
				return err
			}
			return out.close()
		})
	}
}

// source keeps the error of what it reads, so that bytes that cannot be had are not
// taken for bytes that make no sense.
type source struct {
	ctx   context.Context
	in    io.Reader
	where string
	err   error
}

func (s *source) Read(b []byte) (int, error) {
	if s.err == nil {
		s.err = s.ctx.Err()
	}
	if s.err != nil {
		return 0, s.err
	}
	n, err := s.in.Read(b)
	s.err = err
	return n, err
}

func compressGzip(p *params) transformation {
	level := p.number("level", gzip.BestSpeed, gzip.BestCompression)
	return transformation{appending(".gz"), func(to io.Writer, from *source) error {
		w, err := gzip.NewWriterLevel(to, level) // without a time and a name: the same bytes give the same bytes
		if err != nil {
			return err
		}
		if _, err := io.Copy(w, from); err != nil {
			return closing(err, w)
		}
		return w.Close()
	}}
}

func compressZstd(p *params) transformation {
	level := p.number("level", 1, 22)
	return transformation{appending(".zst"), func(to io.Writer, from *source) error {
		w, err := zstd.NewWriter(to, zstd.WithEncoderLevel(zstd.EncoderLevelFromZstd(level)), zstd.WithEncoderConcurrency(1))
		if err != nil {
			return err
		}
		if _, err := io.Copy(w, from); err != nil {
			return closing(err, w)
		}
		return w.Close()
	}}
}

func expandGzip(p *params) transformation {
	most := p.size("most")
	return transformation{removing(".gz", ".tgz"), func(to io.Writer, from *source) error {
		r, err := gzip.NewReader(from)
		if err != nil {
			return from.fault("gzip", err)
		}
		return from.expand(to, r, "gzip", most)
	}}
}

// maxWindow is how far back a zstd stream may refer: that much is in memory. It is
// what the program zstd takes unless it is told otherwise.
const maxWindow = 128 << 20

func expandZstd(p *params) transformation {
	most := p.size("most")
	return transformation{removing(".zst", ".tzst"), func(to io.Writer, from *source) error {
		r, err := zstd.NewReader(from, zstd.WithDecoderConcurrency(1), zstd.WithDecoderMaxWindow(maxWindow))
		if err != nil {
			return from.fault("zstd", err)
		}
		defer r.Close()
		return from.expand(to, r, "zstd", most)
	}}
}

// expand copies what was compressed, at most so many bytes of it: a small file can
// stand for more than there is room for.
func (s *source) expand(to io.Writer, r io.Reader, what string, most int64) error {
	written := &sticky{to: to}
	_, err := io.Copy(written, io.LimitReader(r, most))
	switch {
	case written.err != nil:
		return written.err
	case err != nil:
		return s.fault(what, err)
	}
	var more [1]byte
	if n, err := io.ReadFull(r, more[:]); n > 0 {
		return &BadInputError{Where: s.where, What: fmt.Sprintf("it expands to more than %d bytes: raise the parameter most, if it is meant to", most)}
	} else if !errors.Is(err, io.EOF) {
		return s.fault(what, err)
	}
	return nil
}

// fault is what stood in the way of expanding.
func (s *source) fault(what string, err error) error {
	switch {
	case s.err != nil && s.err != io.EOF:
		return s.err
	case errors.Is(err, io.ErrUnexpectedEOF) || err == io.EOF:
		return &BadInputError{Where: s.where, What: "it ends in the middle of " + what}
	}
	return &BadInputError{Where: s.where, What: "it is no " + what + ": " + strings.TrimPrefix(err.Error(), what+": ")}
}

// sticky keeps the error of what it writes to.
type sticky struct {
	to  io.Writer
	err error
}

func (w *sticky) Write(b []byte) (int, error) {
	n, err := w.to.Write(b)
	w.err = err
	return n, err
}

func appending(ending string) func(string) string {
	return func(name string) string {
		if name == "" {
			return ""
		}
		return name + ending
	}
}

// removing takes an ending from a name. The short one stands for an archive.
func removing(ending, archive string) func(string) string {
	return func(name string) string {
		if bare, ok := strings.CutSuffix(name, archive); ok {
			return bare + ".tar"
		}
		if bare, ok := strings.CutSuffix(name, ending); ok && bare != "" {
			return bare
		}
		return name
	}
}
