package api

import (
	"context"
	"fmt"
	"sync"
	"time"

	"github.com/deedrun/deed/queue"
)

const (
	readyWithin = 3 * time.Second
	readyFor    = 500 * time.Millisecond
)

// readiness is whether a server can be worked with, as it was a moment ago.
// Anybody may ask, without a token: so however many do, it is looked at once,
// and for none of them alone.
type readiness struct {
	mu  sync.Mutex // held while it is looked
	at  time.Time
	err error
}

func (r *readiness) of(look func() error) error {
	r.mu.Lock()
	defer r.mu.Unlock()
	if time.Since(r.at) >= readyFor {
		r.err = look()
		r.at = time.Now()
	}
	return r.err
}

// lookReady is nil if all processes have somebody who orchestrates them, and the
// event store answers.
func (s *server) lookReady(ctx context.Context) error {
	within, cancel := context.WithTimeoutCause(context.WithoutCancel(ctx), min(readyWithin, s.options.AnswerWithin), errNoAnswer)
	defer cancel()
	view, err := s.Look(within, "")
	if err != nil {
		return err
	}
	if missing := queue.AllShards.Without(view.Shards).Len(); missing > 0 {
		return fmt.Errorf("%w: nobody orchestrates %d of %d shards", errNoAnswer, missing, queue.ShardCount)
	}
	_, err = s.Events.Version(within, processPrefix+"readyz") // whether it answers is what counts
	return err
}
