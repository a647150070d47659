package worker

import (
	"bytes"
	"slices"
	"strings"
)

const (
	masked    = "***"
	maskFrom  = 4 // bytes: what is shorter is part of any text
	lineOwned = 8 // bytes of a line of a longer secret that is masked alone, too
)

// mask knows what must not be seen in what a task says: its secrets, without the
// space around them, too, and their lines, since programs print line by line. It
// knows them as they are: encoded, or with something in between, they pass. A nil
// mask hides nothing.
type mask struct {
	values [][]byte
	begins [256]bool // by first byte
}

// newMask is nil if there is nothing to hide.
func newMask(secrets []string) *mask {
	m := &mask{}
	hide := func(value string, least int) {
		if len(value) >= least {
			m.values = append(m.values, []byte(value))
			m.begins[value[0]] = true
		}
	}
	for _, secret := range secrets {
		hide(secret, maskFrom)
		if bare := strings.TrimSpace(secret); bare != secret { // as programs use it that were given a newline too many
			hide(bare, maskFrom)
		}
		if strings.Contains(secret, "\n") {
			for line := range strings.Lines(secret) {
				hide(strings.TrimRight(line, "\r\n"), lineOwned)
			}
		}
	}
	if len(m.values) == 0 {
		return nil
	}
	return m
}

// text hides the secrets in a text that is complete.
func (m *mask) text(s string) string {
	if m == nil {
		return s
	}
	c := cover{mask: m}
	return string(append(c.next([]byte(s)), c.rest()...))
}

// at is how long the longest value is with which a text begins. It is undecided
// as long as a longer one may.
func (m *mask) at(text []byte) (length int, undecided bool) {
	if !m.begins[text[0]] {
		return 0, false
	}
	for _, value := range m.values {
		switch {
		case bytes.HasPrefix(text, value):
			length = max(length, len(value))
		case bytes.HasPrefix(value, text):
			undecided = true
		}
	}
	return length, undecided
}

// cover hides secrets in a stream, also where they are cut by writes: what may
// be the beginning of one is held until more is known.
type cover struct {
	mask   *mask
	held   []byte
	hidden int // how many of the bytes held belong to what was hidden
}

// next is what can be shown after a write, until the next call.
func (c *cover) next(p []byte) []byte {
	if c.mask == nil {
		return p
	}
	return c.show(p, false)
}

// rest is what was held at the end.
func (c *cover) rest() []byte {
	if c.mask == nil {
		return nil
	}
	return c.show(nil, true)
}

func (c *cover) show(p []byte, end bool) []byte {
	text := slices.Concat(c.held, p)
	var shown []byte
	i := 0
	for ; i < len(text); i++ {
		length, undecided := c.mask.at(text[i:])
		if undecided && !end {
			break
		}
		if length > 0 && i >= c.hidden {
			shown = append(shown, masked...)
		}
		if c.hidden = max(c.hidden, i+length); i >= c.hidden {
			shown = append(shown, text[i])
		}
	}
	c.held, c.hidden = text[i:], max(c.hidden-i, 0)
	return shown
}
