package standard

import (
	"bytes"
	"context"
	"errors"
	"io"
)

// fanIn is how many sorted streams are open at a time.
const fanIn = 64

// pair is a record and the key by which it is compared.
type pair struct{ key, record []byte }

// stream is pairs in order. What next returns is valid until its next call;
// io.EOF is the end.
type stream interface{ next() (pair, error) }

// sink takes pairs in order, and passes on those that count.
type sink struct {
	unique bool
	first  int // 0: all
	pass   func(pair) error

	n    int
	last []byte
}

// errEnough says that all was taken that is wanted.
var errEnough = errors.New("enough")

func enough(err error) error {
	if errors.Is(err, errEnough) {
		return nil
	}
	return err
}

func (s *sink) put(p pair) error {
	if s.unique {
		if s.n > 0 && bytes.Equal(p.key, s.last) {
			return nil
		}
		s.last = append(s.last[:0], p.key...)
	}
	if s.n++; s.first > 0 && s.n > s.first {
		return errEnough
	}
	return s.pass(p)
}

// merge merges streams; of equal keys the earlier stream comes first.
func merge(ctx context.Context, streams []stream, reverse bool, to *sink) error {
	h := &heap{reverse: reverse}
	for i, s := range streams {
		p, err := s.next()
		if err == io.EOF {
			continue
		}
		if err != nil {
			return err
		}
		h.heads = append(h.heads, head{p, s, i})
	}
	for i := len(h.heads)/2 - 1; i >= 0; i-- {
		h.down(i)
	}
	for n := 0; len(h.heads) > 0; n++ {
		if n%4096 == 0 && ctx.Err() != nil {
			return ctx.Err()
		}
		top := &h.heads[0]
		if err := to.put(top.pair); err != nil {
			return enough(err)
		}
		p, err := top.from.next()
		switch {
		case err == io.EOF:
			last := len(h.heads) - 1
			h.heads[0] = h.heads[last]
			h.heads = h.heads[:last]
		case err != nil:
			return err
		default:
			top.pair = p
		}
		h.down(0)
	}
	return nil
}

// heap has the stream whose pair comes first at its top.
type heap struct {
	heads   []head
	reverse bool
}

type head struct {
	pair

	from  stream
	place int
}

func (h *heap) before(a, b *head) bool {
	c := bytes.Compare(a.key, b.key)
	if h.reverse {
		c = -c
	}
	return c < 0 || c == 0 && a.place < b.place
}

// down moves a head to where it belongs.
func (h *heap) down(i int) {
	for {
		least := i
		for child := 2*i + 1; child <= 2*i+2 && child < len(h.heads); child++ {
			if h.before(&h.heads[child], &h.heads[least]) {
				least = child
			}
		}
		if least == i {
			return
		}
		h.heads[i], h.heads[least] = h.heads[least], h.heads[i]
		i = least
	}
}
