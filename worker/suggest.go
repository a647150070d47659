package worker

import (
	"fmt"
	"strings"
)

// mostNames bounds a list of names in an error.
const mostNames = 20

// unknownName says that a name is not among the known ones, which it lists,
// and which one was probably meant.
func unknownName(name, offers string, known []string) error {
	var b strings.Builder
	fmt.Fprintf(&b, "%q is unknown", clip(name))
	if near := nearest(name, known); near != "" {
		fmt.Fprintf(&b, ", did you mean %q?", near)
	} else {
		b.WriteString(":")
	}
	fmt.Fprintf(&b, " %s ", offers)
	if len(known) == 0 {
		b.WriteString("none")
	}
	for i, k := range known {
		if i == mostNames {
			fmt.Fprintf(&b, " and %d more", len(known)-i)
			break
		}
		if i > 0 {
			b.WriteString(", ")
		}
		fmt.Fprintf(&b, "%q", k)
	}
	return fmt.Errorf("%s", b.String())
}

// nearest is the known name with the fewest letters to change, if those are
// few enough for a slip; else empty.
func nearest(name string, known []string) string {
	best, fewest := "", min(max(1, len(name)*2/5)+1, len(name))
	for _, k := range known {
		if len(name) > 200 || len(k) > 200 {
			continue
		}
		if d := distance(name, k); d < fewest {
			best, fewest = k, d
		}
	}
	return best
}

// distance counts the edits of single bytes between two names; to swap
// neighbours is one edit.
func distance(a, b string) int {
	before, above := make([]int, len(b)+1), make([]int, len(b)+1)
	for j := range above {
		above[j] = j
	}
	for i := range len(a) {
		row := make([]int, len(b)+1)
		row[0] = i + 1
		for j := range len(b) {
			substituted := above[j]
			if a[i] != b[j] {
				substituted++
			}
			row[j+1] = min(substituted, row[j]+1, above[j+1]+1)
			if i > 0 && j > 0 && a[i] == b[j-1] && a[i-1] == b[j] {
				row[j+1] = min(row[j+1], before[j-1]+1)
			}
		}
		before, above = above, row
	}
	return above[len(b)]
}

// clip keeps a hostile or huge text out of an error.
func clip(s string) string {
	const most = 120
	if len(s) <= most {
		return s
	}
	return strings.ToValidUTF8(s[:most], "") + "…"
}
