package task

import (
	"fmt"
	"iter"
	"slices"
	"strconv"
	"strings"
)

// MaxIndex bounds a task index, so that no sum of two of them can overflow.
const MaxIndex = 1<<31 - 1

// Range is the run of task indexes First, First+1, … First+Count-1.
type Range struct {
	First int
	Count int
}

// End is the first index after the range.
func (r Range) End() int { return r.First + r.Count }

// Ranges is a set of task indexes: sorted, disjoint, never adjacent. The zero
// value is the empty set. Sets are values: no method changes its receiver.
//
// On the wire and in events it is a string such as "0-99,105", so that a
// million tasks cost a dozen bytes and a person can read them.
type Ranges []Range

// Span is the set of count indexes from first on.
func Span(first, count int) Ranges {
	if count <= 0 {
		return nil
	}
	return Ranges{{First: first, Count: count}}
}

// Of is the set of the given indexes, in any order, repeats allowed.
func Of(indexes ...int) Ranges {
	sorted := slices.Sorted(slices.Values(indexes))
	var out Ranges
	for _, i := range sorted {
		out = out.push(Range{First: i, Count: 1})
	}
	return out
}

// push appends r, which starts no earlier than the last range, and merges.
func (rs Ranges) push(r Range) Ranges {
	if r.Count <= 0 {
		return rs
	}
	if n := len(rs); n > 0 && r.First <= rs[n-1].End() {
		rs[n-1].Count = max(rs[n-1].End(), r.End()) - rs[n-1].First
		return rs
	}
	return append(rs, r)
}

// Len counts the indexes in the set.
func (rs Ranges) Len() int {
	n := 0
	for _, r := range rs {
		n += r.Count
	}
	return n
}

// All yields the indexes in order.
func (rs Ranges) All() iter.Seq[int] {
	return func(yield func(int) bool) {
		for _, r := range rs {
			for i := r.First; i < r.End(); i++ {
				if !yield(i) {
					return
				}
			}
		}
	}
}

// Contains reports whether index i is in the set.
func (rs Ranges) Contains(i int) bool {
	_, found := slices.BinarySearchFunc(rs, i, func(r Range, i int) int {
		switch {
		case r.End() <= i:
			return -1
		case r.First > i:
			return 1
		}
		return 0
	})
	return found
}

// Union is the set of indexes in either set.
func (rs Ranges) Union(other Ranges) Ranges {
	out := make(Ranges, 0, len(rs)+len(other))
	a, b := rs, other
	for len(a) > 0 || len(b) > 0 {
		if len(b) == 0 || len(a) > 0 && a[0].First <= b[0].First {
			out, a = out.push(a[0]), a[1:]
		} else {
			out, b = out.push(b[0]), b[1:]
		}
	}
	return out
}

// Joined is the set of ranges in order, of which some may stand side by side.
func (rs Ranges) Joined() Ranges {
	var out Ranges
	for _, r := range rs {
		out = out.push(r)
	}
	return out
}

// Minus is the set of indexes in rs that are not in other.
func (rs Ranges) Minus(other Ranges) Ranges {
	var out Ranges
	for _, r := range rs {
		first := r.First
		for len(other) > 0 && other[0].End() <= first {
			other = other[1:]
		}
		for _, o := range other {
			if o.First >= r.End() {
				break
			}
			if o.First > first {
				out = out.push(Range{First: first, Count: o.First - first})
			}
			first = max(first, o.End())
		}
		if first < r.End() {
			out = out.push(Range{First: first, Count: r.End() - first})
		}
	}
	return out
}

// Take splits the set into its first n indexes and the rest.
func (rs Ranges) Take(n int) (head, rest Ranges) {
	for i, r := range rs {
		if n <= 0 {
			return head, rs[i:]
		}
		if r.Count > n {
			head = append(head, Range{First: r.First, Count: n})
			rest = append(Ranges{{First: r.First + n, Count: r.Count - n}}, rs[i+1:]...)
			return head, rest
		}
		head = append(head, r)
		n -= r.Count
	}
	return head, nil
}

// String writes the set for people: "0–99, 105".
func (rs Ranges) String() string { return rs.format("–", ", ") }

// MarshalText writes the set for the wire: "0-99,105".
func (rs Ranges) MarshalText() ([]byte, error) { return []byte(rs.format("-", ",")), nil }

func (rs Ranges) format(dash, comma string) string {
	var b strings.Builder
	for i, r := range rs {
		if i > 0 {
			b.WriteString(comma)
		}
		b.WriteString(strconv.Itoa(r.First))
		if r.Count > 1 {
			b.WriteString(dash)
			b.WriteString(strconv.Itoa(r.End() - 1))
		}
	}
	return b.String()
}

// UnmarshalText reads what MarshalText wrote. Anything else (unsorted,
// overlapping, negative, above MaxIndex) is an error.
func (rs *Ranges) UnmarshalText(text []byte) error {
	*rs = nil
	if len(text) == 0 {
		return nil
	}
	var out Ranges
	for item := range strings.SplitSeq(string(text), ",") {
		from, to, isRange := strings.Cut(item, "-")
		first, err := parseIndex(from)
		if err != nil {
			return fmt.Errorf("task ranges %q: %w", clip(text), err)
		}
		last := first
		if isRange {
			if last, err = parseIndex(to); err != nil {
				return fmt.Errorf("task ranges %q: %w", clip(text), err)
			}
		}
		if last < first || len(out) > 0 && first < out[len(out)-1].End() {
			return fmt.Errorf("task ranges %q: not in ascending order at %q", clip(text), item)
		}
		out = out.push(Range{First: first, Count: last - first + 1})
	}
	*rs = out
	return nil
}

func parseIndex(s string) (int, error) {
	n, err := strconv.ParseUint(s, 10, 31)
	if err != nil {
		return 0, fmt.Errorf("%q is no task index (0 to %d)", s, MaxIndex)
	}
	return int(n), nil
}

func clip(text []byte) string {
	const most = 80
	if len(text) > most {
		return string(text[:most]) + "…"
	}
	return string(text)
}
