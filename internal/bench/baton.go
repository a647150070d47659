package bench

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"strconv"
	"strings"
	"sync"
	"time"

	"github.com/deedrun/deed/worker"
)

// baton watches a chain: when the first task of each step began, and when the last
// one ended.
type baton struct {
	width    int
	executed *tally
	mu       sync.Mutex
	first    []time.Time // by step, from 0
	last     []time.Time
}

func newBaton(steps, width int) *baton {
	return &baton{width: width, executed: newTally(steps * width), first: make([]time.Time, steps), last: make([]time.Time, steps)}
}

// pass is the handler of all steps: it hands on the value that it reads.
func (b *baton) pass(_ context.Context, t *worker.Task) error {
	began := time.Now()
	step, err := strconv.Atoi(strings.TrimPrefix(t.Address(), "s"))
	if err != nil || step < 1 || step > len(b.first) {
		return worker.Permanent(fmt.Errorf("there is no step %q", t.Address()))
	}
	b.executed.note((step-1)*b.width + t.Index())
	in, err := t.Open("v")
	if err != nil {
		return err
	}
	value, err := io.ReadAll(in)
	if err == nil {
		err = in.Close()
	}
	if err == nil {
		err = t.Emit("next", json.RawMessage(value))
	}
	b.note(step-1, began, time.Now())
	return err
}

func (b *baton) note(step int, began, ended time.Time) {
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.first[step].IsZero() || began.Before(b.first[step]) {
		b.first[step] = began
	}
	if ended.After(b.last[step]) {
		b.last[step] = ended
	}
}

// hops are the times from the last task of a step to the first of the next.
func (b *baton) hops() []time.Duration {
	b.mu.Lock()
	defer b.mu.Unlock()
	hops := make([]time.Duration, 0, len(b.first))
	for i := 1; i < len(b.first); i++ {
		hops = append(hops, b.first[i].Sub(b.last[i-1]))
	}
	return hops
}
