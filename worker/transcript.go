package worker

import (
	"bytes"
	"fmt"
	"io"
	"strings"

	"github.com/deedrun/deed/blob"
)

const (
	tailBytes = 64 << 10 // kept of what a program prints
	saidBytes = 700      // of these in the text of a failure
	logLines  = 1000     // logged of each stream
	logLine   = 4 << 10  // bytes of a line
)

// transcript takes what a program prints to a stream: it logs lines, stores
// all for the log of the task, keeps the last bytes, and needs no more memory
// however much there is.
type transcript struct {
	task   *Task
	name   string
	stream blob.LogStream
	cover  cover // hides the secrets of the task
	tail   []byte
	line   []byte
	open   bool // the last line has not ended,
	long   bool // and is cut
	lines  int
}

func newTranscript(t *Task, name string, stream blob.LogStream) *transcript {
	return &transcript{task: t, name: name, stream: stream, cover: cover{mask: t.mask.Load()}}
}

// read takes all of r, until its end, its deadline or any other error.
func (t *transcript) read(r io.Reader) {
	buf := make([]byte, 32<<10)
	for {
		n, err := r.Read(buf)
		t.next(buf[:n])
		if err != nil {
			break
		}
	}
}

// next takes what was printed next.
func (t *transcript) next(p []byte) { t.take(t.cover.next(p)) }

// end says that nothing more comes.
func (t *transcript) end() {
	t.take(t.cover.rest())
	if t.open {
		t.log()
	}
	if t.lines > logLines {
		t.task.say(fmt.Sprintf("%s: %d more lines were not logged", t.name, t.lines-logLines))
	}
}

func (t *transcript) take(p []byte) {
	t.keep(p)
	t.split(p)
	t.task.record(t.stream, p)
}

func (t *transcript) keep(p []byte) {
	t.tail = append(t.tail, p...)
	if len(t.tail) > 2*tailBytes {
		t.tail = t.tail[:copy(t.tail, t.tail[len(t.tail)-tailBytes:])]
	}
}

func (t *transcript) split(p []byte) {
	for len(p) > 0 {
		if t.lines >= logLines {
			t.lines += bytes.Count(p, []byte("\n"))
			t.open = p[len(p)-1] != '\n'
			return
		}
		line, rest, ended := bytes.Cut(p, []byte("\n"))
		if room := logLine - len(t.line); len(line) > room {
			line, t.long = line[:room], true
		}
		t.line = append(t.line, line...)
		if t.open = !ended; ended {
			t.log()
		}
		p = rest
	}
}

func (t *transcript) log() {
	if t.lines++; t.lines <= logLines {
		more := ""
		if t.long {
			more = "…"
		}
		t.task.say(fmt.Sprintf("%s: %s%s", t.name, strings.ToValidUTF8(string(t.line), "�"), more))
	}
	t.line, t.long = t.line[:0], false
}

// last is the end of what was printed, from the beginning of a line if
// possible, on one line.
func (t *transcript) last() string {
	said := bytes.TrimSpace(t.tail)
	if len(said) > saidBytes {
		said = said[len(said)-saidBytes:]
		if _, whole, found := bytes.Cut(said, []byte("\n")); found {
			said = whole
		}
	}
	return strings.ToValidUTF8(string(said), "�")
}
