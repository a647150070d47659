package process

import (
	"bytes"
	"encoding/binary"
	"encoding/hex"
	"encoding/json"
	"errors"
	"strings"

	"github.com/deedrun/deed/task"
)

// What tasks wrote is all of a snapshot that grows with the number of reports,
// so it is packed rather than JSON: half of the bytes, a fifth of the time.
//
// A number is a varint, a text its length and its bytes, a digest of 64 hex
// digits its 32 bytes, unless it is of data that lies elsewhere. A source begins with a byte that says what it has.
const (
	hasReport = 1 << iota
	hasTasks
	hasParts
	hasMerged
	hasData
)

// packer writes what an unpacker reads.
type packer []byte

func (p *packer) number(n int64) { *p = binary.AppendVarint(*p, n) }

func (p *packer) text(s string) {
	p.number(int64(len(s)))
	*p = append(*p, s...)
}

func (p *packer) ref(r task.Ref) {
	p.text(r.Key)
	p.number(r.Size)
	if r.URL != "" || r.ETag != "" {
		*p = append(*p, 2)
		p.text(r.SHA256)
		p.text(r.URL)
		p.text(r.ETag)
		return
	}
	if isDigest(r.SHA256) {
		*p = append(*p, 1)
		*p, _ = hex.AppendDecode(*p, []byte(r.SHA256)) // it is hex
		return
	}
	*p = append(*p, 0)
	p.text(r.SHA256)
}

// isDigest reports whether a text is 32 bytes in hex, as hex writes them.
func isDigest(s string) bool {
	return len(s) == 64 && strings.Trim(s, "0123456789abcdef") == ""
}

func (p *packer) source(s task.Source) error {
	has := byte(0)
	if s.Report != nil {
		has |= hasReport
	}
	if len(s.Tasks) > 0 {
		has |= hasTasks
	}
	if len(s.Parts) > 0 {
		has |= hasParts
	}
	if s.Merged != nil {
		has |= hasMerged
	}
	if s.Data != "" {
		has |= hasData
	}
	*p = append(*p, has)
	if s.Report != nil {
		p.ref(*s.Report)
	}
	if has&hasTasks != 0 {
		p.number(int64(len(s.Tasks)))
		for _, r := range s.Tasks {
			p.number(int64(r.First))
			p.number(int64(r.Count))
		}
	}
	if has&hasParts != 0 {
		p.number(int64(len(s.Parts)))
		for _, part := range s.Parts {
			p.part(part)
		}
	}
	if s.Data != "" {
		p.text(s.Data)
	}
	if s.Merged == nil {
		return nil
	}
	merged, err := json.Marshal(s.Merged)
	p.text(string(merged))
	return err
}

func (p *packer) part(part task.Produced) {
	p.number(int64(part.Index))
	p.text(part.Data)
	p.text(part.Key)
	p.text(part.Name)
	p.text(string(part.Value))
	if part.Ref == nil {
		*p = append(*p, 0)
		return
	}
	*p = append(*p, 1)
	p.ref(*part.Ref)
}

// unpacker reads what a packer wrote. Its first error stays, and what it reads
// after that means nothing.
type unpacker struct {
	rest []byte
	err  error
}

func (u *unpacker) take(n int64) []byte {
	if n < 0 || n > int64(len(u.rest)) {
		u.err, u.rest = errors.New("its list of what tasks wrote is cut off"), nil
		return nil
	}
	taken := u.rest[:n]
	u.rest = u.rest[n:]
	return taken
}

func (u *unpacker) flag() byte {
	if b := u.take(1); b != nil {
		return b[0]
	}
	return 0
}

func (u *unpacker) number() int64 {
	n, size := binary.Varint(u.rest)
	if size <= 0 {
		size = len(u.rest) + 1
	}
	u.take(int64(size))
	return n
}

// count is a number of things that take a byte or more each.
func (u *unpacker) count() int64 {
	n := u.number()
	if n < 0 || n > int64(len(u.rest)) {
		u.take(-1)
		return 0
	}
	return n
}

func (u *unpacker) text() string { return string(u.take(u.number())) }

func (u *unpacker) ref() *task.Ref {
	r := &task.Ref{Key: u.text(), Size: u.number()}
	switch u.flag() {
	case 1:
		r.SHA256 = hex.EncodeToString(u.take(32))
	case 2:
		r.SHA256, r.URL, r.ETag = u.text(), u.text(), u.text()
	default:
		r.SHA256 = u.text()
	}
	return r
}

func (u *unpacker) source() (s task.Source) {
	has := u.flag()
	if has&hasReport != 0 {
		s.Report = u.ref()
	}
	if has&hasTasks != 0 {
		s.Tasks = make(task.Ranges, u.count())
		for i := range s.Tasks {
			s.Tasks[i] = task.Range{First: int(u.number()), Count: int(u.number())}
		}
	}
	if has&hasParts != 0 {
		s.Parts = make([]task.Produced, u.count())
		for i := range s.Parts {
			s.Parts[i] = u.part()
		}
	}
	if has&hasData != 0 {
		s.Data = u.text()
	}
	if has&hasMerged != 0 {
		s.Merged = &task.Manifest{}
		if err := json.Unmarshal(u.take(u.number()), s.Merged); err != nil && u.err == nil {
			u.err = err
		}
	}
	return s
}

func (u *unpacker) part() task.Produced {
	p := task.Produced{Index: int(u.number()), Data: u.text(), Part: task.Part{Key: u.text(), Name: u.text()}}
	if value := u.take(u.number()); len(value) > 0 {
		p.Value = bytes.Clone(value)
	}
	if u.flag() == 1 {
		p.Ref = u.ref()
	}
	return p
}
