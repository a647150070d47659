package blob

import (
	"bufio"
	"bytes"
	"context"
	crand "crypto/rand"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"hash"
	"os"
	"strings"
	"time"

	"github.com/deedrun/deed/task"
	gcblob "gocloud.dev/blob"
)

// How a blob is sent to a store elsewhere that is too large for one request: in
// pieces, of which a driver holds up to four. S3 takes 10,000 of them, so a blob
// has at most 156 GiB there.
const (
	PieceBytes   = 16 << 20
	PiecesAtOnce = 2
)

const (
	heldBytes = 1 << 20 // up to so many are held, and sent in one request that can be repeated

	writeMark = "deedwrite" // the metadata by which a writer knows its own blob again
)

// Writer writes one new blob. Nobody sees it before Close has returned without
// error. Either Close or Abort must be called, or resources leak; Abort after
// Close does nothing, so `defer w.Abort()` is right. Not safe for concurrent use.
type Writer struct {
	store    *Store
	key      string
	ctx      context.Context // the caller's: Close must not finish what it cancelled
	sending  context.Context // of blob
	cancel   context.CancelCauseFunc
	blob     *gcblob.Writer // nil while all of the blob is in held, and of a file without a name
	held     []byte
	buf      *bufio.Writer // to blob or nameless; nil while all of the blob is in held
	temp     *os.File      // the unfinished blob, in a store of files only
	nameless *os.File      // the same, on a system where a file may get its name last
	watch    *time.Timer   // ends a write to blob that stands still
	mark     string        // of this writer, in a store where a request may be repeated
	replace  bool
	hash     hash.Hash
	size     int64
	ended    bool
	err      error
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
	w := &Writer{store: s, key: key, ctx: ctx, replace: replace, hash: sha256.New()}
	if s.patience > 0 {
		w.mark = strings.ToLower(crand.Text())
		return w, nil
	}
	if err := w.begin(); err != nil {
		return nil, fmt.Errorf("create blob %q: %w", key, err)
	}
	return w, nil
}

func (w *Writer) options() *gcblob.WriterOptions {
	o := &gcblob.WriterOptions{
		ContentType:    "application/octet-stream",
		IfNotExist:     !w.replace,
		BufferSize:     PieceBytes,
		MaxConcurrency: PiecesAtOnce,
	}
	if w.mark != "" {
		o.Metadata = map[string]string{writeMark: w.mark}
	}
	return o
}

// begin starts to send the blob as it is written.
func (w *Writer) begin() error {
	if w.beginNameless() {
		return nil
	}
	ctx, cancel := context.WithCancelCause(w.ctx)
	o := w.options()
	o.BeforeWrite = func(as func(any) bool) error {
		as(&w.temp)
		if before := w.store.driver.BeforeWrite; before != nil {
			return before(w.store.bucket, as)
		}
		return nil
	}
	blob, err := w.store.bucket.NewWriter(ctx, w.key, o)
	if err != nil {
		cancel(nil)
		return err
	}
	w.blob, w.sending, w.cancel = blob, ctx, cancel
	w.buf = bufio.NewWriterSize(blob, 8<<10)
	if w.store.patience > 0 {
		w.watch = time.AfterFunc(stallTime, func() { cancel(errNoAnswer) })
	}
	return nil
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
	n, err := w.write(p)
	w.hash.Write(p[:n])
	w.size += int64(n)
	if err != nil {
		w.err = fmt.Errorf("write blob %q: %w", w.key, w.blame(err))
	}
	return n, w.err
}

// blame says so if it was the watch that ended a write.
func (w *Writer) blame(err error) error {
	if w.sending != nil && errors.Is(context.Cause(w.sending), errNoAnswer) {
		return noAnswer(err)
	}
	return err
}

func (w *Writer) write(p []byte) (int, error) {
	if w.buf == nil {
		if len(w.held)+len(p) <= heldBytes {
			w.held = append(w.held, p...)
			return len(p), nil
		}
		if err := w.begin(); err != nil {
			return 0, err
		}
		if _, err := w.guarded(w.held); err != nil {
			return 0, err
		}
		w.held = nil
	}
	return w.guarded(p)
}

// guarded sends p, unless that stands still.
func (w *Writer) guarded(p []byte) (int, error) {
	if w.watch == nil {
		return w.buf.Write(p)
	}
	w.watch.Reset(stallTime)
	n, err := w.buf.Write(p)
	w.watch.Stop()
	return n, err
}

// Close finishes the blob: when it returns without error, the blob is there
// for everybody. Closing again returns the same result.
func (w *Writer) Close() error {
	if w.ended {
		return w.err
	}
	w.ended = true
	defer w.release()
	if w.err != nil {
		w.discard()
		return w.err
	}
	if err := w.finish(); err != nil {
		w.err = writeError("finish blob", w.key, w.blame(err))
	}
	return w.err
}

func (w *Writer) finish() error {
	if err := w.ctx.Err(); err != nil {
		w.discard()
		return err
	}
	if w.buf == nil {
		return w.send()
	}
	if w.watch != nil {
		w.watch.Reset(stallTime)
	}
	if err := w.buf.Flush(); err != nil {
		w.discard()
		return err
	}
	if w.nameless != nil {
		return w.nameIt()
	}
	if w.temp != nil && !w.replace {
		return w.link()
	}
	if err := w.settle(w.ctx, w.blob.Close()); err != nil || w.mark == "" {
		return err
	}
	return w.whole()
}

// whole makes sure that all pieces are there, once each. Who reads the blob would
// notice; but only its writer can still do something about it.
func (w *Writer) whole() error {
	attrs, err := w.store.attributes(w.ctx, w.key)
	if err == nil && attrs.Size != w.size {
		err = fmt.Errorf("%d bytes were sent, and the store has %d: it lost or repeated a piece", w.size, attrs.Size)
	}
	return err
}

// send sends the whole blob, again if need be.
func (w *Writer) send() error {
	return w.store.retry(w.ctx, sendTime, func(ctx context.Context) error {
		return w.settle(ctx, w.store.bucket.Upload(ctx, w.key, bytes.NewReader(w.held), w.options()))
	})
}

// settle decides what an error at the end of a write means where requests are
// repeated, by the driver too: the blob may be there although the answer was
// lost, and then a repetition finds the key taken, by this very writer.
func (w *Writer) settle(ctx context.Context, err error) error {
	if err == nil || w.mark == "" || ctx.Err() != nil {
		return err
	}
	attrs, missing := w.store.attributes(ctx, w.key)
	switch {
	case missing == nil && attrs.Metadata[writeMark] == w.mark && attrs.Size == w.size:
		return nil
	case missing != nil && passes(missing) && !passes(err):
		return missing // whose blob it is that is there is not known
	}
	return err
}

// Abort discards the blob, unless Close ended the write before.
func (w *Writer) Abort() {
	if w.ended {
		return
	}
	w.ended = true
	w.err = fmt.Errorf("finish blob %q: %w", w.key, errAborted)
	w.discard()
	w.release()
}

// discard ends the backend's writer with its context cancelled, which is how
// it is told to drop what was written. The error only says so.
func (w *Writer) discard() {
	if w.nameless != nil {
		_ = w.nameless.Close() // nobody can open it any more
	}
	if w.blob == nil {
		return
	}
	w.cancel(errAborted)
	_ = w.blob.Close()
}

// release lets go of what the write needed.
func (w *Writer) release() {
	if w.watch != nil {
		w.watch.Stop()
	}
	if w.cancel != nil {
		w.cancel(nil)
	}
	w.held = nil
}

// Ref names the blob. It is the zero Ref until Close has returned without error.
func (w *Writer) Ref() task.Ref {
	if !w.ended || w.err != nil {
		return task.Ref{}
	}
	return task.Ref{Key: w.key, Size: w.size, SHA256: w.sum()}
}

func (w *Writer) sum() string { return hex.EncodeToString(w.hash.Sum(nil)) }
