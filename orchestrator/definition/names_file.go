package definition

import (
	"slices"
	"strings"
)

// NamesFile reports whether the command or the script mentions a file that travels
// with the definition, by its path or its last word alone: who has changed its
// folder calls lib/exif.py exif.py. It takes a mention for one too often rather
// than too seldom. What a file reads in turn, and what a script finds by a
// pattern, it cannot see.
func (s Step) NamesFile(file string) bool {
	last := file[strings.LastIndexByte(file, '/')+1:]
	return last != "" && (mentions(s.Run.Shell, last) ||
		slices.ContainsFunc(s.Run.Command, func(word string) bool { return mentions(word, last) }))
}

// mentions finds a name that is no part of a longer word.
func mentions(text, name string) bool {
	for at := 0; ; {
		i := strings.Index(text[at:], name)
		if i < 0 {
			return false
		}
		at += i
		if ends(text[:at]) && (at+len(name) == len(text) || !isWord(text[at+len(name)])) {
			return true
		}
		at++
	}
}

// ends reports whether a name may follow: after what is no letter, or after a
// flag of one letter, as in awk -fcount.awk.
func ends(before string) bool {
	n := len(before)
	return n == 0 || !isWord(before[n-1]) || n > 1 && before[n-2] == '-' && (n == 2 || !isWord(before[n-3]))
}

func isWord(b byte) bool {
	return b == '_' || b >= 0x80 || '0' <= b && b <= '9' || 'a' <= b && b <= 'z' || 'A' <= b && b <= 'Z'
}
