package standard

import (
	"bytes"
	"context"
	"encoding/binary"
	"fmt"
	"strconv"
	"unicode/utf8"

	"github.com/deedrun/deed/task"
)

const (
	maxKey  = 1 << 10 // bytes of a key
	maxKeys = 10_000  // parts of a task without into: that many keys a fan-out may have
	maxInto = 100_000
)

// partition is deed/partition. Records are sorted by where they go, so that one part
// is open at a time, however many there are.
func partition(ctx context.Context, t Task) error {
	p := &params{task: t}
	f := p.format()
	d := &distribution{task: t, into: p.number("into", 0, maxInto)}
	o := p.order(f, p.column("by"))
	memory := p.size("memory")
	switch {
	case p.err != nil:
		return p.err
	case len(o.by) != 1 || o.by[0].number || o.by[0].descending:
		return badParam("by", "name one column, and nothing else")
	}
	o.raw = true
	parts, err := allParts(t)
	if err != nil {
		return err
	}
	d.name = firstName("", parts)
	s := &sorter{ctx: ctx, task: t}
	s.reserve(memory, parts)
	err = eachRecord(ctx, t, f, o, &d.header, func(key []byte, r *reader, record []byte) error {
		to, err := d.destination(key, r)
		if err != nil {
			return err
		}
		return s.add(to, record)
	})
	if err != nil {
		return err
	}
	if err := s.finish(d.put); err != nil {
		return err
	}
	return d.end()
}

// distribution writes records that come in the order of where they go.
type distribution struct {
	task   Task
	into   int // 0: a part a value
	name   string
	header header
	bucket [4]byte

	out  *output // nil: none was begun
	key  []byte
	made int
}

// destination is where a record goes, by the value of its column.
func (d *distribution) destination(value []byte, r *reader) ([]byte, error) {
	if d.into > 0 {
		binary.BigEndian.PutUint32(d.bucket[:], uint32(task.Bucket(string(value), d.into)))
		return d.bucket[:], nil
	}
	if len(value) > maxKey || !utf8.Valid(value) || bytes.IndexByte(value, 0) >= 0 {
		return nil, r.fault("%s is no key, which is text of at most %d bytes: say into, and keys are numbers", excerpt(value), maxKey)
	}
	return value, nil
}

func (d *distribution) put(p pair) error {
	if d.out == nil || !bytes.Equal(d.key, p.key) {
		if err := d.begin(p.key); err != nil {
			return err
		}
	}
	return d.out.write(p.record)
}

func (d *distribution) begin(key []byte) error {
	if err := d.end(); err != nil {
		return err
	}
	if d.made++; d.into == 0 && d.made > maxKeys {
		return &BadInputError{What: fmt.Sprintf("the column has more than %d values: say into how many parts they go", maxKeys)}
	}
	d.key = append(d.key[:0], key...)
	text := string(key)
	if d.into > 0 { // as many digits each, so that they sort
		text = fmt.Sprintf("%0*d", len(strconv.Itoa(d.into-1)), binary.BigEndian.Uint32(key))
	}
	var err error
	d.out, err = create(d.task, text, d.name, d.header.record)
	return err
}

func (d *distribution) end() error {
	if d.out == nil {
		return nil
	}
	out := d.out
	d.out = nil
	return out.close()
}
