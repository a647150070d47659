package autoscale

import (
	"cmp"
	"slices"
	"time"
)

// member is a worker of ours, from its start until its end was noted.
type member struct {
	Process
	began   time.Time
	heard   bool      // it has been seen to work
	holding int       // tasks, when it was last seen
	leaving time.Time // when it was asked to; zero: it is to go on
	killed  bool
}

// fleet is all workers of ours.
type fleet struct{ members []*member }

// staying are those that are to go on.
func (f *fleet) staying() []*member {
	return slices.DeleteFunc(slices.Clone(f.members), func(m *member) bool { return !m.leaving.IsZero() })
}

// live is how many of those that are to go on have been seen to work.
func (f *fleet) live() (n int) {
	for _, m := range f.staying() {
		if m.heard {
			n++
		}
	}
	return n
}

// hear takes what a look saw: the tasks that workers hold, by their number.
func (f *fleet) hear(holding map[int]int) {
	for _, m := range f.members {
		n, seen := holding[m.ID()]
		m.heard = m.heard || seen
		if seen {
			m.holding = n
		}
	}
}

// surplus are those to drain so that n stay: the least busy, and of these the
// youngest.
func (f *fleet) surplus(n int) []*member {
	staying := f.staying()
	slices.SortStableFunc(staying, func(a, b *member) int {
		return cmp.Or(cmp.Compare(a.holding, b.holding), b.began.Compare(a.began))
	})
	return staying[:max(len(staying)-n, 0)]
}

func (f *fleet) remove(m *member) {
	f.members = slices.DeleteFunc(f.members, func(other *member) bool { return other == m })
}
