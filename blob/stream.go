package blob

import (
	"context"
	"errors"
	"fmt"
	"io"
	"time"

	gcblob "gocloud.dev/blob"
)

// stream reads a blob, or a range of it, from the backend. Trouble that passes
// does not show: what fails or stands still in the middle is opened again where
// it stopped. Whether the bytes are the right ones is for the caller to check.
type stream struct {
	store   *Store
	ctx     context.Context
	key     string
	pos     int64
	end     int64 // of what was asked for; -1: of the blob
	size    int64 // of the blob, once it was opened
	modTime time.Time
	fixed   bool // nobody has a digest of what is read: a blob written since is another one
	options *gcblob.ReaderOptions

	r       content // nil: to be opened at pos
	cancel  context.CancelFunc
	watch   *time.Timer // cancels r when it stands still
	trouble trouble
	closed  bool
}

// stream opens length bytes from offset on; -1: all there are.
func (s *Store) stream(ctx context.Context, key string, offset, length int64) (*stream, error) {
	st := &stream{store: s, ctx: ctx, key: key, pos: offset, end: -1, size: -1}
	if length >= 0 {
		st.end = offset + length
	}
	return st, st.open()
}

// named opens a blob of which nobody holds a digest.
func (s *Store) named(ctx context.Context, key string) (*stream, error) {
	st, err := s.stream(ctx, key, 0, -1)
	if err != nil {
		return nil, readError("open blob", key, err)
	}
	st.fixed = true
	return st, nil
}

func (st *stream) open() error {
	for {
		err := st.openOnce()
		if err == nil {
			return nil
		}
		if st.beyondEnd(err) {
			return err
		}
		if err := st.trouble.wait(st.ctx, st.store.patience, err); err != nil {
			return err
		}
	}
}

func (st *stream) openOnce() error {
	length := int64(-1)
	if st.end >= 0 {
		length = st.end - st.pos
	}
	if f, ok := st.store.openFile(st.key, st.pos, length); ok {
		st.r, st.cancel = f, func() {}
		return st.check()
	}
	ctx, cancel := context.WithCancel(st.ctx)
	if st.store.patience > 0 {
		st.watch = time.AfterFunc(answerTime, cancel)
	}
	r, err := st.store.bucket.NewRangeReader(ctx, st.key, st.pos, length, st.options)
	if err != nil {
		err = st.blame(err)
		cancel()
		return err
	}
	if st.watch != nil {
		st.watch.Stop()
	}
	st.r, st.cancel = r, cancel
	return st.check()
}

// check makes sure that what was opened again is what was read before.
func (st *stream) check() error {
	size, modTime := st.r.Size(), st.r.ModTime()
	if st.size < 0 {
		st.size, st.modTime = size, modTime
		return nil
	}
	if size == st.size && (!st.fixed || modTime.Equal(st.modTime)) {
		return nil
	}
	_ = st.drop()
	return &CorruptError{Key: st.key, Want: fmt.Sprintf("the blob of %d bytes that was being read", st.size), Got: fmt.Sprintf("another of %d", size)}
}

// beyondEnd reports whether a range cannot be opened because the blob is too
// short for it, which some backends answer with an error that says nothing.
func (st *stream) beyondEnd(err error) bool {
	if st.pos == 0 || st.size >= 0 || st.store.patience == 0 || !passes(err) {
		return false
	}
	var size int64
	err = once(st.ctx, answerTime, func(ctx context.Context) error {
		attrs, err := st.store.bucket.Attributes(ctx, st.key)
		if err == nil {
			size = attrs.Size
		}
		return err
	})
	return err == nil && size <= st.pos
}

// blame stops the watch, and says so if it was what ended a request.
func (st *stream) blame(err error) error {
	if st.watch != nil && !st.watch.Stop() && st.ctx.Err() == nil {
		return noAnswer(err)
	}
	return err
}

func (st *stream) Read(p []byte) (int, error) {
	for {
		n, err := st.read(p)
		st.pos += int64(n)
		if n > 0 {
			st.trouble = trouble{}
		}
		if err == nil || st.store.patience == 0 || n == 0 && errors.Is(err, io.EOF) && st.pos >= st.last() {
			return n, err
		}
		_ = st.drop()
		if n > 0 {
			return n, nil
		}
		if errors.Is(err, io.EOF) {
			err = io.ErrUnexpectedEOF
		}
		if err := st.trouble.wait(st.ctx, st.store.patience, err); err != nil {
			return 0, err
		}
	}
}

func (st *stream) read(p []byte) (int, error) {
	if st.closed {
		return 0, errors.New("it is closed")
	}
	if st.r == nil {
		if st.pos >= st.last() {
			return 0, io.EOF
		}
		if err := st.open(); err != nil {
			return 0, err
		}
	}
	if st.watch == nil {
		return st.r.Read(p)
	}
	st.watch.Reset(answerTime)
	n, err := st.r.Read(p)
	if err != nil {
		return n, st.blame(err)
	}
	st.watch.Stop()
	return n, nil
}

// last is where there is nothing more to read.
func (st *stream) last() int64 {
	if st.end >= 0 {
		return min(st.end, st.size)
	}
	return st.size
}

// Seek goes to another place, from which the next read opens the blob again.
func (st *stream) Seek(offset int64, whence int) (int64, error) {
	switch whence {
	case io.SeekCurrent:
		offset += st.pos
	case io.SeekEnd:
		offset += st.last()
	}
	if offset < 0 {
		return 0, fmt.Errorf("seek in blob %q: %d is before its beginning", st.key, offset)
	}
	if offset != st.pos {
		_ = st.drop()
		st.pos = offset
	}
	return offset, nil
}

// drop ends what is open; the next read opens it again.
func (st *stream) drop() error {
	if st.r == nil {
		return nil
	}
	if st.watch != nil {
		st.watch.Stop()
	}
	err := st.r.Close()
	st.cancel()
	st.r = nil
	return err
}

func (st *stream) Close() error {
	st.closed = true
	return st.drop()
}
