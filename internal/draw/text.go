package draw

import (
	"html"
	"strings"
	"unicode"
	"unicode/utf8"
)

// clip shortens a text to most characters, and takes out what cannot be drawn.
func clip(s string, most int) string {
	s = strings.Map(func(r rune) rune {
		if r == utf8.RuneError || unicode.IsControl(r) {
			return ' '
		}
		return r
	}, s)
	n := 0
	for i := range s {
		if n++; n > most {
			return s[:lastRune(s[:i])] + "…"
		}
	}
	return s
}

func lastRune(s string) int {
	_, size := utf8.DecodeLastRuneInString(s)
	return len(s) - size
}

// escape makes any text safe inside SVG elements and attributes.
func escape(s string) string { return html.EscapeString(clip(s, len(s))) }
