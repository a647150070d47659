package standard

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"iter"
	"os"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/deedrun/deed/orchestrator/definition"
)

// bench is a task in memory: what it reads, what it is told, and what was written.
type bench struct {
	t       testing.TB
	parts   []Part
	params  map[string]json.RawMessage
	key     string
	wants   string
	asked   map[string]bool
	dir     string
	open    int // parts being read
	mostly  int // the most at a time
	written []written
	values  []any
}

type written struct {
	key, name, text string
	closed          bool
}

// file is a part with a name.
func file(name, text string) Part { return keyed("", name, text) }

func keyed(key, name, text string) Part {
	return Part{Key: key, Name: name, Size: int64(len(text)), Open: func() (io.ReadCloser, error) {
		return io.NopCloser(strings.NewReader(text)), nil
	}}
}

// told are parameters, such as "by=2 number"; the others have their defaults.
func told(t testing.TB, handler string, params ...string) map[string]json.RawMessage {
	t.Helper()
	h, ok := definition.Standard(handler)
	require.True(t, ok, handler)
	given := map[string]json.RawMessage{}
	for _, p := range params {
		name, value, _ := strings.Cut(p, "=")
		param, ok := h.Param(name)
		require.True(t, ok, "%s has no %s", handler, name)
		given[name] = json.RawMessage(value)
		if param.Type == definition.String {
			given[name], _ = json.Marshal(value)
		}
	}
	return h.WithDefaults(given)
}

// do runs a handler over parts.
func do(t testing.TB, handler string, parts []Part, params ...string) (*bench, error) {
	t.Helper()
	b := &bench{t: t, parts: parts, params: told(t, handler, params...)}
	return b, b.run(handler)
}

func (b *bench) run(handler string) error {
	b.asked = map[string]bool{}
	return Handlers()[handler](b.t.Context(), b)
}

// done runs a handler that has to succeed, and returns what it wrote.
func done(t testing.TB, handler string, parts []Part, params ...string) []written {
	t.Helper()
	b, err := do(t, handler, parts, params...)
	require.NoError(t, err)
	for _, w := range b.written {
		require.True(t, w.closed)
	}
	require.Zero(t, b.open, "parts are left open")
	return b.written
}

// one is the text of the only part that a handler writes.
func one(t testing.TB, handler string, parts []Part, params ...string) string {
	t.Helper()
	all := done(t, handler, parts, params...)
	require.Len(t, all, 1)
	return all[0].text
}

// refused runs a handler over an input that makes no sense.
func refused(t testing.TB, handler string, parts []Part, params ...string) string {
	t.Helper()
	b, err := do(t, handler, parts, params...)
	var bad *BadInputError
	require.ErrorAs(t, err, &bad)
	require.Less(t, len(err.Error()), 600)
	require.Zero(t, b.open, "parts are left open")
	return err.Error()
}

func texts(all []written) (texts []string) {
	for _, w := range all {
		texts = append(texts, w.text)
	}
	return texts
}

func (b *bench) Param(name string) (json.RawMessage, bool) {
	b.asked[name] = true
	value, ok := b.params[name]
	return value, ok
}

func (b *bench) Parts() iter.Seq2[Part, error] {
	return func(yield func(Part, error) bool) {
		for _, p := range b.parts {
			inner := p.Open
			p.Open = func() (io.ReadCloser, error) {
				in, err := inner()
				if err != nil {
					return nil, err
				}
				b.open++
				b.mostly = max(b.mostly, b.open)
				return &reading{ReadCloser: in, bench: b}, nil
			}
			if !yield(p, nil) {
				return
			}
		}
	}
}

// reading insists on what the contract says: a part is read to its end.
type reading struct {
	io.ReadCloser

	bench *bench
	ended bool
}

func (r *reading) Read(p []byte) (int, error) {
	n, err := r.ReadCloser.Read(p)
	r.ended = r.ended || err != nil
	return n, err
}

func (r *reading) Close() error {
	r.bench.open--
	return r.ReadCloser.Close()
}

func (b *bench) Create(key, name string) (io.WriteCloser, error) {
	b.written = append(b.written, written{key: key, name: name})
	return &writing{bench: b, n: len(b.written) - 1}, nil
}

type writing struct {
	bench *bench
	n     int
	text  bytes.Buffer
}

func (w *writing) Write(p []byte) (int, error) { return w.text.Write(p) }

func (w *writing) Close() error {
	at := &w.bench.written[w.n]
	if at.closed {
		return errors.New("it was closed before")
	}
	at.text, at.closed = w.text.String(), true
	return nil
}

func (b *bench) Emit(value any) error {
	b.values = append(b.values, value)
	return nil
}

func (b *bench) Wants() string { return b.wants }
func (b *bench) Key() string   { return b.key }

func (b *bench) Directory() (string, error) {
	if b.dir == "" {
		b.dir = b.t.TempDir()
	}
	return b.dir, nil
}

// left is how many files are in the directory of the task.
func (b *bench) left() int {
	if b.dir == "" {
		return 0
	}
	files, err := os.ReadDir(b.dir)
	require.NoError(b.t, err)
	return len(files)
}

// shuffled are lines from 0 to n-1, in an order that is no order.
func shuffled(n int) string {
	var b strings.Builder
	for i := range n {
		fmt.Fprintf(&b, "%06d\n", i*7919%n)
	}
	return b.String()
}
