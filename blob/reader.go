package blob

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"hash"
	"io"

	"github.com/deedrun/deed/task"
)

// Open streams a blob and verifies it on the way. If the bytes are not those
// that ref names, Read returns a *[CorruptError] instead of io.EOF: until then
// what was read is not to be trusted. Never more than ref.Size bytes are
// returned. A blob that is not there is an error that wraps [ErrNotFound].
func (s *Store) Open(ctx context.Context, ref task.Ref) (io.ReadCloser, error) {
	return s.open(ctx, ref)
}

func (s *Store) open(ctx context.Context, ref task.Ref) (*verified, error) {
	if err := checkRef(ref); err != nil {
		return nil, fmt.Errorf("open %w", err)
	}
	r, err := s.stream(ctx, ref.Key, 0, -1)
	if err != nil {
		return nil, readError("open blob", ref.Key, err)
	}
	v := &verified{ctx: ctx, r: r, ref: ref, hash: sha256.New()}
	if size := r.size; size >= 0 && size != ref.Size {
		v.err = sizeError(ref, size)
	}
	return v, nil
}

// ReadAll returns the bytes of a blob after they are verified. A blob larger
// than limit bytes is an error before anything is read.
func (s *Store) ReadAll(ctx context.Context, ref task.Ref, limit int64) ([]byte, error) {
	if ref.Size > limit {
		return nil, fmt.Errorf("read blob %q: its %d bytes exceed the limit of %d here", clip(ref.Key), ref.Size, limit)
	}
	r, err := s.open(ctx, ref)
	if err != nil {
		return nil, err
	}
	defer r.Close()
	if r.err != nil {
		return nil, r.err
	}
	data := make([]byte, ref.Size)
	if _, err := io.ReadFull(r, data); err != nil {
		return nil, err
	}
	if _, err := r.Read(make([]byte, 1)); err != io.EOF {
		return nil, err
	}
	return data, nil
}

// OpenPart streams what a part holds: its blob, verified, or the object elsewhere
// that it refers to, or its inline value as JSON text. A part with neither, or with
// both, is an error. See [Store.AllowReading].
func (s *Store) OpenPart(ctx context.Context, p task.Part) (io.ReadCloser, error) {
	if err := checkPart(p); err != nil {
		return nil, fmt.Errorf("open %w", &malformedError{err})
	}
	switch {
	case p.Ref == nil:
	case p.Ref.Elsewhere():
		return s.openElsewhere(ctx, *p.Ref)
	default:
		return s.Open(ctx, *p.Ref)
	}
	return io.NopCloser(bytes.NewReader(p.Value)), nil
}

// verified is a reader that ends in io.EOF only after exactly the bytes of ref.
type verified struct {
	ctx  context.Context
	r    io.ReadCloser
	ref  task.Ref
	hash hash.Hash
	n    int64
	err  error
}

func (v *verified) Read(p []byte) (int, error) {
	if v.err != nil {
		return 0, v.err
	}
	if len(p) == 0 {
		return 0, nil
	}
	if err := v.ctx.Err(); err != nil {
		return 0, fmt.Errorf("read blob %q: %w", v.ref.Key, err)
	}
	left := v.ref.Size - v.n
	if left == 0 {
		v.err = v.end()
		return 0, v.err
	}
	n, err := v.r.Read(p[:min(int64(len(p)), left)])
	v.hash.Write(p[:n])
	v.n += int64(n)
	switch {
	case err == io.EOF && v.n < v.ref.Size:
		v.err = sizeError(v.ref, v.n)
	case err != nil && err != io.EOF:
		v.err = readError("read blob", v.ref.Key, err)
	}
	return n, v.err
}

// end decides what follows the last byte of the blob: io.EOF, or an error
// because there is more, or because it was another blob all along.
func (v *verified) end() error {
	n, err := io.ReadFull(v.r, make([]byte, 1))
	if n > 0 {
		return &CorruptError{Key: v.ref.Key, Want: fmt.Sprintf("%d bytes", v.ref.Size), Got: "more"}
	}
	if err != io.EOF {
		return readError("read blob", v.ref.Key, err)
	}
	if sum := hex.EncodeToString(v.hash.Sum(nil)); sum != v.ref.SHA256 {
		return &CorruptError{Key: v.ref.Key, Want: "SHA-256 " + v.ref.SHA256, Got: "SHA-256 " + sum}
	}
	return io.EOF
}

func (v *verified) Close() error {
	if err := v.r.Close(); err != nil {
		return fmt.Errorf("close blob %q: %w", v.ref.Key, err)
	}
	return nil
}

func sizeError(ref task.Ref, size int64) *CorruptError {
	return &CorruptError{Key: ref.Key, Want: fmt.Sprintf("%d bytes", ref.Size), Got: fmt.Sprintf("%d bytes", size)}
}

// section is a run of bytes inside a larger blob. Its SHA-256 is known to the
// caller, who checks it.
func (s *Store) section(ctx context.Context, ref task.Ref, offset, length int64) (io.ReadCloser, error) {
	r, err := s.stream(ctx, ref.Key, offset, length)
	if err == nil {
		if size := r.size; size >= 0 && size != ref.Size {
			_ = r.Close()
			return nil, sizeError(ref, size)
		}
		return r, nil
	}
	if !isNotFound(err) {
		// Some backends answer a range beyond the end with an error of their own.
		if attrs, statErr := s.attributes(ctx, ref.Key); statErr == nil && attrs.Size != ref.Size {
			return nil, sizeError(ref, attrs.Size)
		}
	}
	return nil, readError("open blob", ref.Key, err)
}
