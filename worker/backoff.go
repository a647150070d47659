package worker

import (
	"context"
	"time"
)

// backoff is a pause that doubles, from 10 ms to 1 s.
type backoff struct{ last time.Duration }

func (b *backoff) reset() { b.last = 0 }

// wait pauses. It returns false if ctx ends or stop is closed meanwhile.
func (b *backoff) wait(ctx context.Context, stop <-chan struct{}) bool {
	b.last = min(max(10*time.Millisecond, 2*b.last), time.Second)
	timer := time.NewTimer(b.last)
	defer timer.Stop()
	select {
	case <-timer.C:
		return true
	case <-ctx.Done():
	case <-stop:
	}
	return false
}
