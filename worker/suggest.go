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
// at most a third of the name; else empty.
func nearest(name string, known []string) string {
	best, fewest := "", len(name)/3+1
	for _, k := range known {
		if len(k) > 4*len(name)+4 || len(name) > 200 {
			continue
		}
		if d := distance(name, k); d < fewest {
			best, fewest = k, d
		}
	}
	return best
}

// distance counts the single-byte edits between two names.
func distance(a, b string) int {
	row := make([]int, len(b)+1)
	for j := range row {
		row[j] = j
	}
	for i := range len(a) {
		diagonal := row[0]
		row[0] = i + 1
		for j := range len(b) {
			substituted := diagonal
			if a[i] != b[j] {
				substituted++
			}
			diagonal = row[j+1]
			row[j+1] = min(substituted, row[j+1]+1, row[j]+1)
		}
	}
	return row[len(b)]
}

// clip keeps a hostile or huge text out of an error.
func clip(s string) string {
	const most = 120
	if len(s) <= most {
		return s
	}
	return strings.ToValidUTF8(s[:most], "") + "…"
}
