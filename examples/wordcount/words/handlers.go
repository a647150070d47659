package words

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"

	"github.com/deedrun/deed/worker"
)

// Register offers the handlers of this package.
func Register(reg *worker.Registry) {
	worker.Handle(reg, "words/count", count)
	worker.Handle(reg, "words/merge", merge)
	worker.Handle(reg, "words/top", top)
}

// count reads the text `corpus` and writes one part of `partial` an initial
// letter, with the letter as key: by it the parts are shuffled.
func count(_ context.Context, t *worker.Task) error {
	var table Table
	if err := read(func() (io.ReadCloser, error) { return t.Open("corpus") }, table.CountWords); err != nil {
		return fmt.Errorf("count words: %w", err)
	}
	for entries := table.Sorted(); len(entries) > 0; {
		letter := entries[0].Word[:1]
		n := 0
		for n < len(entries) && entries[n].Word[:1] == letter {
			n++
		}
		out, err := t.CreateKeyed("partial", letter)
		if err != nil {
			return err
		}
		if err := write(out, entries[:n]); err != nil {
			return err
		}
		entries = entries[n:]
	}
	return nil
}

// merge reads a bucket of `partial`, the parts of some letters from every
// text, and writes their sum as one part of `totals`.
func merge(_ context.Context, t *worker.Task) error {
	table, err := sum(t, "partial")
	if err != nil {
		return err
	}
	return create(t, "totals", table.Sorted())
}

// top reads all of `totals`, and writes every word to `counts` and as many of
// the most frequent to `top` as the parameter of that name says.
func top(_ context.Context, t *worker.Task) error {
	var most int
	if err := t.Param("top", &most); err != nil {
		return worker.Permanent(err)
	}
	if most < 0 {
		return worker.Permanent(fmt.Errorf("the parameter top is %d: give a number from 0 on", most))
	}
	table, err := sum(t, "totals")
	if err != nil {
		return err
	}
	if err := create(t, "counts", table.Sorted()); err != nil {
		return err
	}
	return create(t, "top", table.Top(most))
}

// sum adds up the tables in the parts of an input.
func sum(t *worker.Task, local string) (Table, error) {
	var table Table
	for part, err := range t.Parts(local) {
		if err != nil {
			return table, err
		}
		if err := read(part.Open, table.AddCounts); err != nil {
			return table, fmt.Errorf("add up %q, part %q with key %q: %w", local, part.Name, part.Key, err)
		}
	}
	return table, nil
}

// read opens, reads to the end and closes. What is malformed stays so, and is
// not worth another attempt.
func read(open func() (io.ReadCloser, error), into func(io.Reader) error) error {
	in, err := open()
	if err != nil {
		return err
	}
	err = errors.Join(into(in), in.Close())
	var malformed *MalformedError
	if errors.As(err, &malformed) {
		return worker.Permanent(err)
	}
	return err
}

func create(t *worker.Task, local string, entries []Entry) error {
	out, err := t.Create(local)
	if err != nil {
		return err
	}
	return write(out, entries)
}

// write finishes out: only the error of Close says that it is stored.
func write(out io.WriteCloser, entries []Entry) error {
	buffered := bufio.NewWriter(out)
	for _, e := range entries {
		buffered.WriteString(e.String()) // its error comes again from Flush
		buffered.WriteByte('\n')
	}
	return errors.Join(buffered.Flush(), out.Close())
}
