package process

import (
	"math/bits"

	"github.com/deedrun/deed/internal/planted"
	"github.com/deedrun/deed/task"
)

// chunkSize is how many tasks share a chunk: large enough that a million tasks
// need few chunks, small enough that copying one is cheap.
const chunkSize = 512

// token marks what an edit has already copied, so that it copies once.
type token struct{ _ byte }

// ledger remembers, for each task of a step, whether it is closed (confirmed,
// or skipped) and what trouble it had. It is a persistent structure: an edit copies the chunks it
// touches, so that states share the rest. A million confirmed tasks take
// about 300 KB.
type ledger struct {
	chunks []*chunk // nil: nothing to remember
}

type chunk struct {
	owner  *token
	closed [chunkSize / 64]uint64
	odd    map[int]trouble // by index in the chunk; tasks at their first attempt are absent
}

// trouble is what is remembered of a task that did not go straight through.
type trouble struct {
	attempt  int // the current one, or the one that is planned
	failures int
	losses   int
	stand    stand
	due      int64 // when a planned retry is: nanoseconds since 1970
}

// stand is where a task stands that had trouble and is not confirmed.
type stand uint8

const (
	underWay stand = iota // scheduled at this attempt
	planned               // it waits for the timer of its retry
	broken                // this attempt is over, and nothing is planned
	skipped               // given up, and its step goes on without it
)

// edit makes the chunk of task i writable for the holder of t, whose
// chunks slice is its own.
func (l *ledger) edit(t *token, i int) *chunk {
	c := l.chunks[i/chunkSize]
	if c != nil && c.owner == t {
		return c
	}
	own := &chunk{owner: t}
	if c != nil {
		own.closed = c.closed
		if c.odd != nil {
			own.odd = make(map[int]trouble, len(c.odd))
			for k, v := range c.odd {
				own.odd[k] = v
			}
		}
	}
	l.chunks[i/chunkSize] = own
	return own
}

func (l *ledger) grow(total int) {
	if need := (total + chunkSize - 1) / chunkSize; need > len(l.chunks) {
		l.chunks = append(l.chunks, make([]*chunk, need-len(l.chunks))...)
	}
}

// at is where task i is noted; nil: nothing is known of it, also where there can be
// no such task.
func (l *ledger) at(i int) *chunk {
	if n := i / chunkSize; i >= 0 && n < len(l.chunks) {
		return l.chunks[n]
	}
	return nil
}

// trouble of task i; a task nothing is known of is at attempt 1.
func (l *ledger) trouble(i int) trouble {
	if c := l.at(i); c != nil {
		if t, ok := c.odd[i%chunkSize]; ok {
			return t
		}
	}
	return trouble{attempt: 1}
}

func (l *ledger) setTrouble(t *token, i int, v trouble) {
	c := l.edit(t, i)
	if c.odd == nil {
		c.odd = map[int]trouble{}
	}
	c.odd[i%chunkSize] = v
}

// close marks the tasks closed and returns how many were not before, and how
// many of those had been waiting for a retry. What trouble they had is over.
func (l *ledger) close(t *token, tasks task.Ranges) (fresh, waiting int) {
	for first, count := range spans(tasks) {
		c := l.edit(t, first)
		for i := first % chunkSize; count > 0; {
			n := min(64-i%64, count)
			mask := (^uint64(0) >> (64 - n)) << (i % 64)
			fresh += bits.OnesCount64(mask &^ c.closed[i/64])
			c.closed[i/64] |= mask
			i, count = i+n, count-n
		}
		for i, v := range c.odd {
			if v.stand != skipped && v.stand != underWay && c.isClosed(i) {
				if v.stand == planned {
					waiting++
				}
				v.stand = underWay
				c.odd[i] = v
			}
		}
	}
	return fresh, waiting
}

// reopen takes back that a task is closed.
func (l *ledger) reopen(t *token, i int) {
	at := i % chunkSize
	l.edit(t, i).closed[at/64] &^= 1 << (at % 64)
}

func (c *chunk) isClosed(i int) bool { return c.closed[i/64]>>(i%64)&1 == 1 }

// open is the subset of tasks that are not closed.
func (l *ledger) open(tasks task.Ranges) task.Ranges {
	var closed task.Ranges
	for first, count := range spans(tasks) {
		c := l.at(first)
		if c == nil {
			continue
		}
		for i := first; i < first+count; {
			at := i % chunkSize
			word := c.closed[at/64] >> (at % 64)
			left := min(64-at%64, first+count-i)
			skip := min(bits.TrailingZeros64(word), left)
			run := min(bits.TrailingZeros64(^(word >> skip)), left-skip)
			if run > 0 {
				closed = pushRange(closed, task.Range{First: i + skip, Count: run})
			}
			i += skip + run
		}
	}
	return tasks.Minus(closed)
}

// current is those of the tasks that are under way at an attempt, if they are
// not closed.
func (l *ledger) current(attempt int, tasks task.Ranges) task.Ranges {
	is := func(at int) bool { return at == attempt || planted.Is(planted.UnfencedAttempt) }
	var others task.Ranges
	for first, count := range spans(tasks) {
		if c := l.at(first); c != nil && len(c.odd) > 0 {
			for i := first; i < first+count; i++ {
				if t := l.trouble(i); !is(t.attempt) || t.stand != underWay {
					others = pushRange(others, task.Range{First: i, Count: 1})
				}
			}
		} else if !is(1) {
			others = pushRange(others, task.Range{First: first, Count: count})
		}
	}
	return tasks.Minus(others)
}

func pushRange(ranges task.Ranges, r task.Range) task.Ranges {
	if n := len(ranges); n > 0 && ranges[n-1].End() == r.First {
		ranges[n-1].Count += r.Count
		return ranges
	}
	return append(ranges, r)
}

// spans cuts tasks at the borders of chunks.
func spans(tasks task.Ranges) func(yield func(first, count int) bool) {
	return func(yield func(first, count int) bool) {
		for _, r := range tasks {
			for r.Count > 0 {
				n := min(r.Count, chunkSize-r.First%chunkSize)
				if !yield(r.First, n) {
					return
				}
				r.First, r.Count = r.First+n, r.Count-n
			}
		}
	}
}

// troubled yields the tasks that had trouble and are not confirmed, in
// ascending order.
func (l *ledger) troubled() func(yield func(i int, t trouble) bool) {
	return func(yield func(i int, t trouble) bool) {
		for n, c := range l.chunks {
			if c == nil || len(c.odd) == 0 {
				continue
			}
			for i := range chunkSize {
				t, odd := c.odd[i]
				if odd && (!c.isClosed(i) || t.stand == skipped) && !yield(n*chunkSize+i, t) {
					return
				}
			}
		}
	}
}
