package orchestrator

import (
	"context"
	"encoding/json"
	"sync"
	"time"

	"github.com/deedrun/deed/queue"
)

// stuckAfter is how long a step may take before the replica falls silent, so
// that others take what it holds.
const stuckAfter = 15 * time.Second

// voice announces what a replica holds. What it said last it may repeat from
// another goroutine, so that a long step is not taken for a death.
type voice struct {
	signals queue.Signals

	mu   sync.Mutex
	last Announcement
	said time.Time // by the clock of this computer; zero: nothing yet
	step time.Time // when the step began that is under way
}

func (v *voice) say(ctx context.Context, a Announcement) error {
	v.mu.Lock()
	defer v.mu.Unlock()
	v.last = a
	return v.publish(ctx)
}

func (v *voice) publish(ctx context.Context) error {
	v.said = time.Now()
	a := v.last
	a.Now = v.said
	body, err := json.Marshal(a)
	if err != nil {
		return err
	}
	return v.signals.Publish(ctx, TopicReplica, body)
}

// steps notes that a step begins.
func (v *voice) steps() {
	v.mu.Lock()
	defer v.mu.Unlock()
	v.step = time.Now()
}

// repeat says again what was said last, if that is a while ago and the step has
// not taken for too long. Whoever does not hear it hears the next.
func (v *voice) repeat(ctx context.Context) {
	v.mu.Lock()
	defer v.mu.Unlock()
	if !v.said.IsZero() && time.Since(v.said) >= announceEvery && time.Since(v.step) < stuckAfter {
		_ = v.publish(ctx)
	}
}

// carry repeats until ctx ends.
func (v *voice) carry(ctx context.Context) {
	ticks := time.NewTicker(announceEvery / 2)
	defer ticks.Stop()
	for {
		select {
		case <-ctx.Done():
			return
		case <-ticks.C:
			v.repeat(ctx)
		}
	}
}

// announce says what there is to say now.
func (o *Owner) announce(ctx context.Context, now time.Time) {
	a, due := o.members.announcement(now)
	if !due {
		return
	}
	if err := o.voice.say(ctx, a); err != nil && ctx.Err() == nil {
		o.Log.Debug("orchestrator: an announcement was not sent; the next one is", "error", err)
	}
}
