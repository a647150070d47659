package standard

import (
	"bufio"
	"io"
	"sync"
)

// ioBuffer is what is read and written at a time.
const ioBuffer = 256 << 10

// buffers are for outputs: a task may write thousands of small parts, one after the other.
var buffers = sync.Pool{New: func() any { return bufio.NewWriterSize(nil, ioBuffer) }}

// output writes the records of one part.
type output struct {
	part   io.WriteCloser
	to     *bufio.Writer
	header int64 // bytes of it
	bytes  int64 // of the records
}

func create(t Task, key, name string, header []byte) (*output, error) {
	part, err := t.Create(key, name)
	if err != nil {
		return nil, err
	}
	o := &output{part: part, to: buffers.Get().(*bufio.Writer)}
	o.to.Reset(part)
	if len(header) > 0 {
		if err := o.write(header); err != nil {
			return nil, err
		}
		o.header, o.bytes = o.bytes, 0
	}
	return o, nil
}

// write writes a record with a line end, also if it is the last of its file and
// has none there.
func (o *output) write(record []byte) error {
	o.bytes += int64(len(record))
	_, err := o.to.Write(record)
	if err == nil && (len(record) == 0 || record[len(record)-1] != '\n') {
		o.bytes++
		err = o.to.WriteByte('\n')
	}
	return err
}

// close finishes the part; only then it counts.
func (o *output) close() error {
	err := o.to.Flush()
	o.to.Reset(nil)
	buffers.Put(o.to)
	o.to = nil
	return closing(err, o.part)
}
