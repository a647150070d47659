package blob

import (
	"bufio"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"hash"
	"os"

	"github.com/deedrun/deed/task"
	gcblob "gocloud.dev/blob"
)

// Writer writes one new blob. Nobody sees it before Close has returned without
// error. Either Close or Abort must be called, or resources leak; Abort after
// Close does nothing, so `defer w.Abort()` is right. Not safe for concurrent use.
type Writer struct {
	key     string
	ctx     context.Context // the caller's: Close must not finish what it cancelled
	cancel  context.CancelFunc
	blob    *gcblob.Writer
	buf     *bufio.Writer
	temp    *os.File // the unfinished blob, in a store of files only
	replace bool
	hash    hash.Hash
	size    int64
	ended   bool
	err     error
}

var errAborted = errors.New("the write was aborted")

// Create starts a new blob. A key that exists is an error that wraps
// [ErrExists], returned by Close at the latest; what is there stays. ctx must
// stay valid until Close; cancelling it discards the blob.
func (s *Store) Create(ctx context.Context, key string) (*Writer, error) {
	return s.create(ctx, key, false)
}

func (s *Store) create(ctx context.Context, key string, replace bool) (*Writer, error) {
	if err := CheckKey(key); err != nil {
		return nil, fmt.Errorf("create %w", err)
	}
	if err := ctx.Err(); err != nil {
		return nil, fmt.Errorf("create blob %q: %w", key, err)
	}
	w := &Writer{key: key, ctx: ctx, replace: replace, hash: sha256.New()}
	inner, cancel := context.WithCancel(ctx)
	blob, err := s.bucket.NewWriter(inner, key, &gcblob.WriterOptions{
		ContentType: "application/octet-stream",
		IfNotExist:  !replace,
		BeforeWrite: func(as func(any) bool) error {
			as(&w.temp)
			return nil
		},
	})
	if err != nil {
		cancel()
		return nil, fmt.Errorf("create blob %q: %w", key, err)
	}
	w.blob, w.cancel = blob, cancel
	w.buf = bufio.NewWriterSize(blob, 8<<10)
	return w, nil
}

// Write appends to the blob. After an error every call fails with it.
func (w *Writer) Write(p []byte) (int, error) {
	switch {
	case w.err != nil:
		return 0, w.err
	case w.ended:
		return 0, fmt.Errorf("write blob %q: it is closed", w.key)
	}
	if err := w.ctx.Err(); err != nil {
		w.err = fmt.Errorf("write blob %q: %w", w.key, err)
		return 0, w.err
	}
	n, err := w.buf.Write(p)
	w.hash.Write(p[:n])
	w.size += int64(n)
	if err != nil {
		w.err = fmt.Errorf("write blob %q: %w", w.key, err)
	}
	return n, w.err
}

// Close finishes the blob: when it returns without error, the blob is there
// for everybody. Closing again returns the same result.
func (w *Writer) Close() error {
	if w.ended {
		return w.err
	}
	w.ended = true
	defer w.cancel()
	if w.err != nil {
		w.discard()
		return w.err
	}
	if err := w.finish(); err != nil {
		w.err = writeError("finish blob", w.key, err)
	}
	return w.err
}

func (w *Writer) finish() error {
	if err := errors.Join(w.ctx.Err(), w.buf.Flush()); err != nil {
		w.discard()
		return err
	}
	if w.temp != nil && !w.replace {
		return w.link()
	}
	return w.blob.Close()
}

// Abort discards the blob, unless Close ended the write before.
func (w *Writer) Abort() {
	if w.ended {
		return
	}
	w.ended = true
	w.err = fmt.Errorf("finish blob %q: %w", w.key, errAborted)
	w.discard()
}

// discard ends the backend's writer with its context cancelled, which is how
// it is told to drop what was written. The error only says so.
func (w *Writer) discard() {
	w.cancel()
	_ = w.blob.Close()
}

// Ref names the blob. It is the zero Ref until Close has returned without error.
func (w *Writer) Ref() task.Ref {
	if !w.ended || w.err != nil {
		return task.Ref{}
	}
	return task.Ref{Key: w.key, Size: w.size, SHA256: w.sum()}
}

func (w *Writer) sum() string { return hex.EncodeToString(w.hash.Sum(nil)) }
