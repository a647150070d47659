package visits

import (
	"cmp"
	"maps"
	"slices"
	"strconv"
)

// entry is a name on one of the lists.
type entry struct{ list, name string }

// tally is how often each occurs.
type tally map[entry]int64

// add counts a request on the lists where it belongs.
func (t tally) add(r Request) {
	switch {
	case r.IsPage():
		t[entry{"pages", r.Path}]++
		if r.Referrer != "" {
			t[entry{"referrers", r.Referrer}]++
		}
	case r.Status == 404:
		t[entry{"missing", r.Path}]++
	}
}

// writeTo writes the counts in an order that is always the same.
func (t tally) writeTo(w *table) error {
	order := func(a, b entry) int { return cmp.Or(cmp.Compare(a.list, b.list), cmp.Compare(a.name, b.name)) }
	for _, e := range slices.SortedFunc(maps.Keys(t), order) {
		if err := w.write(e.list, e.name, strconv.FormatInt(t[e], 10)); err != nil {
			return err
		}
	}
	return w.close()
}
