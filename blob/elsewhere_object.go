package blob

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"hash"
	"io"

	"github.com/deedrun/deed/task"
	gcblob "gocloud.dev/blob"
	"gocloud.dev/gcerrors"
)

// openPinned opens an object that has the ETag of ref. Where the driver cannot
// make that a condition of the read, the object is looked at after it was opened:
// such stores never give an ETag twice, so it had that ETag all the time.
func (s *Store) openPinned(ctx context.Context, ref task.Ref, key string) (io.ReadCloser, error) {
	conditional := ref.ETag == ""
	st := &stream{store: s, ctx: ctx, key: key, end: -1, size: -1, fixed: true}
	if s.driver.IfMatch != nil {
		st.options = &gcblob.ReaderOptions{BeforeRead: func(as func(any) bool) error {
			conditional = s.driver.IfMatch(as, ref.ETag) || conditional
			return nil
		}}
	}
	if err := st.open(); err != nil {
		return nil, s.notOpened(ctx, ref, key, err)
	}
	if !conditional {
		if err := s.stillThere(ctx, ref, key); err != nil {
			_ = st.Close()
			return nil, err
		}
	}
	if st.size >= 0 && st.size != ref.Size {
		_ = st.Close()
		return nil, otherSize(ref, st.size)
	}
	return newPinned(ctx, st, ref), nil
}

// notOpened explains why an object cannot be opened.
func (s *Store) notOpened(ctx context.Context, ref task.Ref, key string, err error) error {
	switch codeOf(err) {
	case gcerrors.NotFound:
		return &ChangedError{URL: ref.URL}
	case gcerrors.FailedPrecondition:
		if changed := s.stillThere(ctx, ref, key); changed != nil {
			return changed
		}
	}
	return fmt.Errorf("open %s: %w", withoutQuery(ref.URL), err)
}

// stillThere is nil if an object has the ETag that it had.
func (s *Store) stillThere(ctx context.Context, ref task.Ref, key string) error {
	attrs, err := s.attributes(ctx, key)
	switch {
	case isNotFound(err):
		return &ChangedError{URL: ref.URL}
	case err != nil:
		return fmt.Errorf("look at %s: %w", withoutQuery(ref.URL), err)
	case attrs.ETag != ref.ETag:
		return &ChangedError{URL: ref.URL, Want: "its ETag was " + ref.ETag, Got: attrs.ETag}
	}
	return nil
}

func otherSize(ref task.Ref, size int64) error {
	return &ChangedError{URL: ref.URL, Want: fmt.Sprintf("it had %d bytes", ref.Size), Got: fmt.Sprintf("%d", size)}
}

// pinned is a reader that ends in io.EOF only after exactly the bytes of ref.
type pinned struct {
	ctx  context.Context
	r    io.ReadCloser
	ref  task.Ref
	hash hash.Hash // nil: its SHA-256 is not known
	n    int64
	err  error
}

func newPinned(ctx context.Context, r io.ReadCloser, ref task.Ref) *pinned {
	p := &pinned{ctx: ctx, r: r, ref: ref}
	if ref.SHA256 != "" {
		p.hash = sha256.New()
	}
	return p
}

func (p *pinned) Read(to []byte) (int, error) {
	if p.err != nil || len(to) == 0 {
		return 0, p.err
	}
	if err := p.ctx.Err(); err != nil {
		return 0, fmt.Errorf("read %s: %w", withoutQuery(p.ref.URL), err)
	}
	n, err := p.r.Read(to)
	if over := p.n + int64(n) - p.ref.Size; over > 0 {
		n, err = n-int(over), otherSize(p.ref, p.ref.Size+over)
	}
	if p.hash != nil {
		p.hash.Write(to[:n])
	}
	p.n += int64(n)
	switch {
	case err == io.EOF:
		p.err = p.end()
	case err != nil:
		p.err = p.broken(err)
	}
	return n, p.err
}

// broken says why an object cannot be read to its end: what goes on after a cut
// connection is no part of another object.
func (p *pinned) broken(err error) error {
	var another *CorruptError
	switch {
	case Lasting(err):
		return err
	case errors.As(err, &another), codeOf(err) == gcerrors.FailedPrecondition, isNotFound(err):
		return &ChangedError{URL: p.ref.URL, Want: "its ETag was " + p.ref.ETag + " when it was opened", Got: "another, or none"}
	}
	return fmt.Errorf("read %s: %w", withoutQuery(p.ref.URL), err)
}

// end says whether what was read is what was referred to. An object whose ETag is
// that of ref and that ends early was cut off on its way.
func (p *pinned) end() error {
	if p.n < p.ref.Size && p.hash == nil {
		return fmt.Errorf("read %s: it ended after %d of %d bytes: %w", withoutQuery(p.ref.URL), p.n, p.ref.Size, io.ErrUnexpectedEOF)
	}
	if p.n < p.ref.Size {
		return otherSize(p.ref, p.n)
	}
	if p.hash == nil {
		return io.EOF
	}
	if sum := hex.EncodeToString(p.hash.Sum(nil)); sum != p.ref.SHA256 {
		return &ChangedError{URL: p.ref.URL, Want: "its SHA-256 was " + p.ref.SHA256, Got: sum}
	}
	return io.EOF
}

func (p *pinned) Close() error {
	if err := p.r.Close(); err != nil {
		return fmt.Errorf("close %s: %w", withoutQuery(p.ref.URL), err)
	}
	return nil
}
