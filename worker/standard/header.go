package standard

import (
	"bytes"
	"io"
)

// header is the first record of parts that have one: it has to be the same in all
// of them. A part without a single record has none, and does no harm.
type header struct {
	record []byte // nil: none was seen
	where  string
}

// take reads the header of a part, if its format has one.
func (h *header) take(r *reader) error {
	if !r.header {
		return nil
	}
	record, err := r.next()
	switch {
	case err == io.EOF:
		return nil
	case err != nil:
		return err
	case h.record == nil:
		h.record, h.where = append([]byte{}, record...), r.where
		return nil
	case !bytes.Equal(content(record), content(h.record)):
		return r.fault("the header is %s, but that of %s is %s", excerpt(content(record)), h.where, excerpt(content(h.record)))
	}
	return nil
}
