package blob

import (
	"bytes"
	"fmt"
	"time"
)

// logTail keeps the last lines of a log whose head is full, however much there
// is. What is left out counts with a newline a line.
type logTail struct {
	lines []byte // with their prefixes; up to twice what is kept in the end
	left  int64  // bytes left out
}

func (t *logTail) add(prefix, text []byte) {
	t.lines = append(append(append(t.lines, prefix...), text...), '\n')
	if len(t.lines) > 2*logTailBytes {
		t.trim()
	}
}

// trim cuts to what is kept in the end, between lines.
func (t *logTail) trim() {
	if len(t.lines) <= logTailBytes {
		return
	}
	cut := len(t.lines) - logTailBytes
	cut += bytes.IndexByte(t.lines[cut-1:], '\n') // never -1: the last byte ends a line
	t.drop(cut)
}

func (t *logTail) drop(cut int) {
	t.left += int64(cut - logPrefix*bytes.Count(t.lines[:cut], []byte("\n")))
	t.lines = t.lines[:copy(t.lines, t.lines[cut:])]
}

// skip drops what p will push out anyway, and returns the rest of p, so that
// a gigabyte costs no more than reading it. pending is an unfinished line that
// p goes on with.
func (t *logTail) skip(pending *[]byte, p []byte) []byte {
	if len(p)*(1+logPrefix) < logTailBytes {
		return p
	}
	at, size := len(p), 0
	for size < logTailBytes {
		if at == 0 {
			return p
		}
		begin := bytes.LastIndexByte(p[:at-1], '\n') + 1
		if begin == 0 {
			return p
		}
		size += logPrefix + at - begin
		at = begin
	}
	t.drop(len(t.lines))
	t.left += int64(len(*pending) + at)
	*pending = (*pending)[:0]
	return p[at:]
}

// end appends the tail to a chunk, and before it what was left out.
func (t *logTail) end(chunk []byte, now time.Time) []byte {
	t.trim()
	if t.left > 0 {
		if first, ok := parseLine(t.lines[:bytes.IndexByte(t.lines, '\n')]); ok {
			now = first.Time // so that times do not go back
		}
		chunk = fmt.Appendf(appendPrefix(chunk, now, LogGap), "%d bytes were left out here: of a log the first %d KiB and the last %d KiB are kept\n",
			t.left, logHeadBytes>>10, logTailBytes>>10)
	}
	return append(chunk, t.lines...)
}
