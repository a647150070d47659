package doctor

import (
	"context"
	"encoding/json"
	"fmt"
	"time"

	"github.com/deedrun/deed/orchestrator"
	"github.com/deedrun/deed/queue"
	"github.com/deedrun/deed/task"
)

// How long it listens: replicas speak twice a second, workers once and when they
// are asked to. Shards that nobody holds may be changing hands.
const (
	listenAtLeast = 1300 * time.Millisecond
	listenForAny  = 2200 * time.Millisecond
	listenAtMost  = 4 * time.Second
)

// heard is what roles said of themselves, the latest of each, and by how much
// their clocks are ahead of this one.
type heard struct {
	replicas map[string]replica
	workers  map[string]worker
}

type replica struct {
	orchestrator.Announcement

	ahead time.Duration
}

type worker struct {
	task.Heartbeat

	ahead time.Duration
}

// hear listens until everybody had the time to speak, and every shard is held
// by one replica, or for a few seconds.
func (p *place) hear(ctx context.Context) (heard, error) {
	h := heard{replicas: map[string]replica{}, workers: map[string]worker{}}
	announcements, err := p.Signals.Subscribe(orchestrator.TopicReplica)
	if err != nil {
		return h, err
	}
	defer announcements.Stop()
	beats, err := p.Signals.Subscribe(task.TopicHeartbeat)
	if err != nil {
		return h, err
	}
	defer beats.Stop()
	if err := p.Signals.Publish(ctx, task.TopicRollCall, nil); err != nil {
		return h, err
	}
	enough, nobody, patience := time.After(listenAtLeast), time.After(listenForAny), time.After(listenAtMost)
	spoken := false
	for {
		if missing, twice := h.shards(); spoken && missing == 0 && twice == 0 {
			return h, nil
		}
		select {
		case body, open := <-announcements.C():
			if !open {
				return h, fmt.Errorf("the connection was closed: %w", queue.ErrUnavailable)
			}
			h.announced(body, p.Machine.Now())
		case body, open := <-beats.C():
			if !open {
				return h, fmt.Errorf("the connection was closed: %w", queue.ErrUnavailable)
			}
			h.beat(body, p.Machine.Now())
		case <-enough:
			spoken = true
		case <-nobody:
			if len(h.replicas) == 0 {
				return h, nil
			}
		case <-patience:
			return h, nil
		case <-ctx.Done():
			return h, context.Cause(ctx)
		}
	}
}

// announced takes in what a replica says. What cannot be read the replicas
// themselves log.
func (h *heard) announced(body []byte, now time.Time) {
	var a orchestrator.Announcement
	if json.Unmarshal(body, &a) != nil || a.Replica == "" {
		return
	}
	if a.Leaving {
		delete(h.replicas, a.Replica)
		return
	}
	h.replicas[a.Replica] = replica{a, ahead(a.Now, now)}
}

func (h *heard) beat(body []byte, now time.Time) {
	var b task.Heartbeat
	if json.Unmarshal(body, &b) != nil || b.Worker == "" {
		return
	}
	if b.Leaving {
		delete(h.workers, b.Worker)
		return
	}
	h.workers[b.Worker] = worker{b, ahead(b.Now, now)}
}

// ahead is 0 for who does not say what time it is, as earlier versions do.
func ahead(said, now time.Time) time.Duration {
	if said.IsZero() {
		return 0
	}
	return said.Sub(now)
}

// shards are those that nobody holds, and those that several do.
func (h *heard) shards() (missing, twice queue.Shards) {
	var held queue.Shards
	for _, r := range h.replicas {
		twice |= held & r.Shards
		held |= r.Shards
	}
	return queue.AllShards.Without(held), twice
}
