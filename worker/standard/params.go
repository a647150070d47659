package standard

import (
	"encoding/json"
	"strconv"
	"strings"
)

// params reads what a step says to a handler. The first thing that is wrong stays
// in err; what is read after it is zero.
type params struct {
	task Task
	err  error
}

func (p *params) read(name string, into any) bool {
	value, ok := p.task.Param(name)
	switch {
	case p.err != nil:
	case !ok:
		p.err = badParam(name, "the message does not bring it: the sender is at fault")
	case json.Unmarshal(value, into) != nil:
		p.err = badParam(name, "%s makes no sense", excerpt(value))
	}
	return p.err == nil
}

func (p *params) text(name string) (s string) {
	p.read(name, &s)
	return s
}

// column is a text; a column may also be said as a number.
func (p *params) column(name string) string {
	value, _ := p.task.Param(name)
	var n int
	if json.Unmarshal(value, &n) == nil && n > 0 {
		return strconv.Itoa(n)
	}
	return p.text(name)
}

func (p *params) truth(name string) (b bool) {
	p.read(name, &b)
	return b
}

func (p *params) number(name string, least, most int) (n int) {
	if p.read(name, &n) && (n < least || n > most) {
		p.err = badParam(name, "%d is not between %d and %d", n, least, most)
	}
	return n
}

// size reads a number of bytes, such as "64MiB".
func (p *params) size(name string) int64 {
	text := p.text(name)
	if p.err != nil {
		return 0
	}
	n, ok := bytesOf(text)
	if !ok {
		p.err = badParam(name, "%s is no size: write it like 64MiB", excerpt([]byte(text)))
	}
	return n
}

const maxSize = 1 << 50

// units are those of definitions: powers of 1024 with an i, of 1000 without.
var units = map[string]float64{
	"B": 1, "KB": 1e3, "MB": 1e6, "GB": 1e9, "TB": 1e12, "KiB": 1 << 10, "MiB": 1 << 20, "GiB": 1 << 30, "TiB": 1 << 40,
}

func bytesOf(text string) (n int64, ok bool) {
	amount := text[:len(text)-len(strings.TrimLeft(text, "0123456789."))]
	unit, known := units[strings.TrimLeft(text[len(amount):], " ")]
	f, err := strconv.ParseFloat(amount, 64)
	if bytes := f*unit + 0.5; err == nil && known && bytes >= 1 && bytes <= maxSize {
		return int64(bytes), true
	}
	return 0, false
}
