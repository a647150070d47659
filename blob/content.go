package blob

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"os"
	"strings"

	"github.com/deedrun/deed/task"
)

// errChanged says that content read a second time was not what it had been.
var errChanged = errors.New("it changed while it was imported; try again when nobody writes to it")

// ImportFile stores a file under a key that is derived from its content, so
// the same content is stored once, whoever imports it and however often. It
// reads the file twice, once if the content is there already, and holds none
// of it. A file that changes meanwhile is an error.
func (s *Store) ImportFile(ctx context.Context, path string) (task.Ref, error) {
	ref, err := s.importFile(ctx, path)
	if err != nil {
		return task.Ref{}, fmt.Errorf("import file %q: %w", path, err)
	}
	return ref, nil
}

func (s *Store) importFile(ctx context.Context, path string) (task.Ref, error) {
	f, ref, err := openContent(ctx, path)
	if err != nil {
		return task.Ref{}, err
	}
	defer f.Close()
	return ref, s.putContent(ctx, ref, f)
}

// openContent opens a file and names its content, for which it reads all of it.
func openContent(ctx context.Context, path string) (f *os.File, ref task.Ref, err error) {
	// Opening a pipe would wait for its other end, so look first.
	before, err := os.Stat(path)
	if err != nil {
		return nil, ref, err
	}
	if !before.Mode().IsRegular() {
		return nil, ref, fmt.Errorf("it is a %s, not a regular file", kind(before.Mode()))
	}
	if f, err = os.Open(path); err != nil {
		return nil, ref, err
	}
	defer func() {
		if err != nil {
			_ = f.Close()
		}
	}()
	if ref, err = contentRef(ctx, f); err != nil {
		return nil, ref, err
	}
	after, err := f.Stat()
	if err != nil {
		return nil, ref, err
	}
	if !os.SameFile(before, after) || after.Size() != ref.Size || !after.ModTime().Equal(before.ModTime()) {
		return nil, ref, errChanged
	}
	return f, ref, nil
}

// Import stores a stream of unknown length like ImportFile does a file. The
// stream is spooled to a temporary file first.
func (s *Store) Import(ctx context.Context, r io.Reader) (task.Ref, error) {
	ref, err := s.importStream(ctx, r)
	if err != nil {
		return task.Ref{}, fmt.Errorf("import: %w", err)
	}
	return ref, nil
}

func (s *Store) importStream(ctx context.Context, r io.Reader) (ref task.Ref, err error) {
	spool, err := os.CreateTemp("", "deed-import-*")
	if err != nil {
		return task.Ref{}, err
	}
	defer func() {
		err = errors.Join(err, spool.Close(), os.Remove(spool.Name()))
	}()
	ref, err = contentRef(ctx, io.TeeReader(r, spool))
	if err != nil {
		return task.Ref{}, err
	}
	return ref, s.putContent(ctx, ref, spool)
}

// contentRef reads r to its end and names its content.
func contentRef(ctx context.Context, r io.Reader) (task.Ref, error) {
	h := sha256.New()
	n, err := io.Copy(h, &cancellable{ctx: ctx, r: r})
	if err != nil {
		return task.Ref{}, err
	}
	sum := hex.EncodeToString(h.Sum(nil))
	return task.Ref{Key: contentKey("sha256", sum), Size: n, SHA256: sum}, nil
}

// contentKey spreads content over 256 folders.
func contentKey(prefix, sum string) string { return prefix + "/" + sum[:2] + "/" + sum[2:] }

// StoreContent stores, as ImportFile does, content whose reference is known: a
// blob that is there under the key, which has to be named after the content, is
// kept from being swept, and taken for it.
func (s *Store) StoreContent(ctx context.Context, ref task.Ref, write func(io.Writer) error) error {
	err := checkRef(ref)
	if err == nil && !isContentOf(ref) {
		err = fmt.Errorf("blob %q: its key is not that of its content", clip(ref.Key))
	}
	if err == nil {
		err = s.putOnce(ctx, ref, write)
	}
	if err != nil {
		return fmt.Errorf("store content: %w", err)
	}
	return nil
}

// isContentOf reports whether a key is what content is stored under.
func isContentOf(ref task.Ref) bool {
	prefix, _, _ := strings.Cut(ref.Key, "/")
	return ref.Key == contentKey(prefix, ref.SHA256)
}

// putContent stores the content of f, from its start, unless it is there.
func (s *Store) putContent(ctx context.Context, ref task.Ref, f io.ReadSeeker) error {
	return s.putOnce(ctx, ref, func(w io.Writer) error {
		if _, err := f.Seek(0, io.SeekStart); err != nil {
			return err
		}
		_, err := io.Copy(w, f)
		return err
	})
}

// putOnce stores what write writes under a key that only this content has. A
// blob of the right size is taken for it, whoever reads it verifies, and kept
// from being swept. One of another size is what a power cut left of an earlier
// write, and is replaced.
// Several writers at once store the same bytes, so the first one wins.
func (s *Store) putOnce(ctx context.Context, ref task.Ref, write func(io.Writer) error) error {
	attrs, err := s.attributes(ctx, ref.Key)
	replace := false
	switch {
	case err == nil: // what is to be replaced is renewed, too: a sweep under way would take what replaces it
		replace, err = s.renew(ctx, ref.Key, attrs.ModTime)
		if err != nil || replace && attrs.Size == ref.Size {
			return err
		}
	case !isNotFound(err):
		return fmt.Errorf("look for blob %q: %w", ref.Key, err)
	}
	w, err := s.create(ctx, ref.Key, replace)
	if err != nil {
		return err
	}
	defer w.Abort()
	if err := write(w); err != nil {
		return err
	}
	if w.size != ref.Size || w.sum() != ref.SHA256 {
		return errChanged
	}
	if err := w.Close(); !errors.Is(err, ErrExists) {
		return err
	}
	return nil
}

// cancellable is a reader that ends with its context.
type cancellable struct {
	ctx context.Context
	r   io.Reader
}

func (c *cancellable) Read(p []byte) (int, error) {
	if err := c.ctx.Err(); err != nil {
		return 0, err
	}
	return c.r.Read(p)
}
