package blob

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"sync"
	"time"
	"unicode/utf8"
)

const (
	logChunkBytes = 64 << 10 // a chunk is stored when it has so many,
	logHeadBytes  = 1 << 20  // of the head of a log all is stored,
	logTailBytes  = 64 << 10 // and of the rest the end
	logLineBytes  = 8 << 10  // a longer line is broken into several

	logStoreTime = 10 * time.Second // how long storing a chunk may take
	logSlowest   = 30 * time.Second // how old a chunk may get in a long log
)

// LogOptions say when the chunks of a log are stored.
type LogOptions struct {
	Now func() time.Time // nil: time.Now

	// Every is how long a line may wait to be stored while others can come; it
	// grows with a log that is written for long, up to 30 s. 0: a chunk is
	// stored when it is full, and by Close, and the writer needs no timer.
	Every time.Duration
}

// LogWriter stores what an execution prints: all of the first 1 MiB, the last
// 64 KiB, and between them a line that says how much was left out. It needs no
// more memory than that tail and a chunk, and stores nothing if nothing is
// written. It is safe for concurrent use.
//
// Storing is the caller's wait: while a chunk is written, so is nothing else.
// After the first error the writer takes no more, and Close returns it.
type LogWriter struct {
	store *Store
	name  LogName
	opt   LogOptions
	ctx   context.Context // without an end: what a cancelled task said is wanted most

	mu      sync.Mutex
	pending map[LogStream]*[]byte // unfinished lines
	streams []LogStream           // of pending, in the order of appearance
	chunk   []byte                // lines that are not stored
	chunks  int                   // stored
	head    int                   // bytes, in chunk and stored
	tail    *logTail              // once the head is full
	timer   *time.Timer           // runs while chunk waits
	closed  bool
	err     error
}

// CreateLog is a writer of the log of an execution. ctx gives its values, not
// its end.
func (s *Store) CreateLog(ctx context.Context, name LogName, o LogOptions) *LogWriter {
	if o.Now == nil {
		o.Now = time.Now
	}
	return &LogWriter{store: s, name: name, opt: o, ctx: context.WithoutCancel(ctx), pending: map[LogStream]*[]byte{}}
}

// Write takes what was printed to a stream: any part of a line, or many. After
// Close it does nothing.
func (w *LogWriter) Write(stream LogStream, p []byte) {
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.closed || w.err != nil || len(p) == 0 {
		return
	}
	pending := w.unfinished(stream)
	prefix := appendPrefix(make([]byte, 0, logPrefix), w.opt.Now(), stream)
	if w.tail != nil {
		p = w.tail.skip(pending, p)
	}
	for len(p) > 0 {
		line, rest, ended := bytes.Cut(p, []byte("\n"))
		if room := logLineBytes - len(*pending); len(line) > room {
			line = line[:wholeRunes(line, room)]
			rest, ended = p[len(line):], true
		}
		*pending = append(*pending, line...)
		if ended {
			w.line(prefix, *pending)
			*pending = (*pending)[:0]
		}
		p = rest
	}
	w.wait()
}

func (w *LogWriter) unfinished(stream LogStream) *[]byte {
	if w.pending[stream] == nil {
		w.pending[stream] = new([]byte)
		w.streams = append(w.streams, stream)
	}
	return w.pending[stream]
}

// wholeRunes is at most n, and less if the cut would be within a character.
func wholeRunes(line []byte, n int) int {
	for back := range min(n, utf8.UTFMax) {
		if utf8.RuneStart(line[n-back]) {
			return n - back
		}
	}
	return n
}

func (w *LogWriter) line(prefix, text []byte) {
	size := len(prefix) + len(text) + 1
	if w.tail == nil && w.head+size > logHeadBytes {
		w.flush(w.ctx)
		w.tail = &logTail{}
	}
	if w.tail != nil {
		w.tail.add(prefix, text)
		return
	}
	if len(w.chunk)+size > logChunkBytes {
		w.flush(w.ctx)
	}
	w.head += size
	w.chunk = append(append(append(w.chunk, prefix...), text...), '\n')
}

// wait makes sure that what is in the chunk is stored some time.
func (w *LogWriter) wait() {
	if w.opt.Every == 0 || w.timer != nil || len(w.chunk) == 0 {
		return
	}
	every := min(w.opt.Every*time.Duration(1+w.chunks/8), max(w.opt.Every, logSlowest))
	w.timer = time.AfterFunc(every, func() {
		w.mu.Lock()
		defer w.mu.Unlock()
		w.timer = nil
		if !w.closed {
			w.flush(w.ctx)
		}
	})
}

// flush stores the chunk. The lines are gone if that fails: a later one would
// have no place.
func (w *LogWriter) flush(ctx context.Context) {
	defer func() { w.chunk = w.chunk[:0] }()
	if len(w.chunk) == 0 || w.err != nil {
		return
	}
	ctx, cancel := context.WithTimeout(ctx, logStoreTime)
	defer cancel()
	if err := w.put(ctx, sealChunk(w.chunk, w.opt.Now())); err != nil {
		w.err = fmt.Errorf("store the log of %s: %w", w.name, err)
	}
	w.chunks++
}

func (w *LogWriter) put(ctx context.Context, data []byte) error {
	b, err := w.store.Create(ctx, w.name.chunkKey(w.chunks))
	if err != nil {
		return err
	}
	defer b.Abort()
	if _, err := io.Copy(b, bytes.NewReader(data)); err != nil {
		return err
	}
	return b.Close()
}

// Close stores the rest, as long as ctx allows. Closing again returns the same
// result.
func (w *LogWriter) Close(ctx context.Context) error {
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.closed {
		return w.err
	}
	if w.timer != nil {
		w.timer.Stop() // it comes too late if it has fired: closed is checked under the lock
	}
	now := w.opt.Now()
	for _, stream := range w.streams {
		if text := *w.pending[stream]; len(text) > 0 {
			w.line(appendPrefix(nil, now, stream), text)
		}
	}
	if w.tail != nil {
		w.chunk = w.tail.end(w.chunk, now)
	}
	w.flush(ctx)
	w.closed = true
	w.pending, w.chunk, w.tail = nil, nil, nil
	return w.err
}
