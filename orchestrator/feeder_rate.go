package orchestrator

import (
	"container/heap"
	"time"

	"github.com/deedrun/deed/orchestrator/definition"
)

// bucket holds the turns that a rate gives: it fills evenly, and holds at most
// what the rate gives in a second, and at least one. It is memory, and begins
// full: after a takeover a step may be ahead of its rate by one bucket.
type bucket struct {
	turns float64
	size  float64
	every time.Duration
	at    time.Time // turns is as of then
}

// fill brings the bucket up to date.
func (b *bucket) fill(rate definition.Rate, now time.Time) {
	every := rate.Every()
	if every <= 0 {
		*b = bucket{}
		return
	}
	size := max(1, float64(time.Second)/float64(every))
	if b.every != every { // it is new, or has been revised
		turns := size
		if b.every > 0 {
			turns = min(b.turns, size)
		}
		*b = bucket{turns: turns, size: size, every: every, at: now}
		return
	}
	if passed := now.Sub(b.at); passed > 0 {
		b.turns = min(b.size, b.turns+float64(passed)/float64(b.every))
		b.at = now
	}
}

// left is how many tasks may be begun now; -1: as many as there are.
func (b *bucket) left() int {
	if b.every <= 0 {
		return -1
	}
	const rounding = 1e-9
	return int(b.turns + rounding)
}

func (b *bucket) take(n int) {
	if b.every > 0 {
		b.turns -= float64(n)
	}
}

// giveBack returns turns of tasks that were not begun after all.
func (b *bucket) giveBack(n int) {
	if b.every > 0 {
		b.turns = min(b.size, b.turns+float64(n))
	}
}

// next is when there is one more turn.
func (b *bucket) next() time.Time {
	return b.at.Add(max(time.Duration((1-b.turns)*float64(b.every)), 0) + 1)
}

// sleepers is the rows that wait for a time, the first to wake first. Those that
// have left since are passed over.
type sleepers struct{ heapOf[sleeper] }

type sleeper struct {
	at time.Time
	*row
}

func (s sleeper) before(other sleeper) bool { return s.at.Before(other.at) }
func (s sleeper) stand(int)                 {} // nobody looks for one

// add lets a row sleep.
func (s *sleepers) add(r *row, until time.Time) {
	r.stands, r.wake = isAsleep, until
	heap.Push(s, sleeper{until, r})
}

func (s *sleepers) next() (time.Time, bool) {
	for s.Len() > 0 && s.first().gone() {
		heap.Pop(s)
	}
	if s.Len() == 0 {
		return time.Time{}, false
	}
	return s.first().at, true
}

// due takes out a row whose time has come; nil: there is none.
func (s *sleepers) due(now time.Time) *row {
	if at, waits := s.next(); !waits || at.After(now) {
		return nil
	}
	return heap.Pop(s).(sleeper).row
}

func (s sleeper) gone() bool { return s.stands != isAsleep || !s.wake.Equal(s.at) }
