package bench

import (
	"fmt"
	"sync/atomic"
)

// tally counts which of n tasks were executed, and how often.
type tally struct {
	n     int
	seen  []atomic.Uint32 // a bit a task
	calls atomic.Int64
}

func newTally(n int) *tally {
	return &tally{n: n, seen: make([]atomic.Uint32, (n+31)/32)}
}

// note is one execution of the task of an index.
func (t *tally) note(index int) {
	t.calls.Add(1)
	if index >= 0 && index < t.n {
		t.seen[index/32].Or(1 << (index % 32))
	}
}

// check is an error if any task was not executed, or more than once.
func (t *tally) check() error {
	for i := range t.n {
		if t.seen[i/32].Load()&(1<<(i%32)) == 0 {
			return fmt.Errorf("task %d of %d never invoked its handler, and %d calls were counted: this measures nothing", i, t.n, t.calls.Load())
		}
	}
	if calls := t.calls.Load(); calls != int64(t.n) {
		return fmt.Errorf("%d tasks invoked their handlers %d times: some ran again, so this is no clean measure; try it on a machine that is less busy", t.n, calls)
	}
	return nil
}
