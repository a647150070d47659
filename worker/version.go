package worker

import (
	"cmp"
	"fmt"
	"strings"
)

const maxVersion = 32

// splitHandler takes "name@version" apart; without "@" the version is empty.
func splitHandler(handler string) (name, version string, err error) {
	name, version, pinned := strings.Cut(handler, "@")
	if !pinned {
		return name, "", nil
	}
	plain := func(r rune) bool { return r >= '0' && r <= '9' || r >= 'a' && r <= 'z' || r >= 'A' && r <= 'Z' }
	switch {
	case name == "":
		return "", "", fmt.Errorf("there is no name before the %q", "@")
	case version == "" || len(version) > maxVersion || !plain(rune(version[0])) ||
		strings.ContainsFunc(version, func(r rune) bool { return !plain(r) && !strings.ContainsRune("._-", r) }):
		return "", "", fmt.Errorf("the version %q is none: write letters, digits, \".\", \"_\" and \"-\", at most %d, and a letter or digit first",
			clip(version), maxVersion)
	}
	return name, version, nil
}

// compareVersions orders versions as people count: 2 before 10, 1.9 before
// 1.10. Runs of digits are compared as numbers, all else byte by byte.
func compareVersions(a, b string) int {
	whole := strings.Compare(a, b)
	for a != "" && b != "" {
		n, m := digits(a), digits(b)
		if n == 0 || m == 0 {
			if a[0] != b[0] {
				return cmp.Compare(a[0], b[0])
			}
			a, b = a[1:], b[1:]
			continue
		}
		x, y := strings.TrimLeft(a[:n], "0"), strings.TrimLeft(b[:m], "0")
		if c := cmp.Or(cmp.Compare(len(x), len(y)), strings.Compare(x, y)); c != 0 {
			return c
		}
		a, b = a[n:], b[m:]
	}
	return cmp.Or(cmp.Compare(len(a), len(b)), whole) // "1" and "01" are two versions
}

// digits is how many digits s begins with.
func digits(s string) int {
	for i := range len(s) {
		if s[i] < '0' || s[i] > '9' {
			return i
		}
	}
	return len(s)
}
