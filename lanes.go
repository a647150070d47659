package deed

import (
	"context"
	"encoding/json"
	"time"

	"github.com/deedrun/deed/queue"
	"github.com/deedrun/deed/task"
)

const (
	// lanesEvery is how often a lane is looked after that workers receive from, and
	// laneWithin how long that may take.
	lanesEvery = 5 * time.Second
	laneWithin = 2 * time.Second
)

// keepLanes sees to it that each pool which has workers has a lane: they receive
// from it and may not make it. A pool may have workers before anything was sent
// to it, and a person may have deleted what the server had of a lane. One replica
// does it, whose turn it is.
func (r *Runtime) keepLanes(ctx context.Context, turn func() bool) error {
	beats, err := r.Signals.Subscribe(task.TopicHeartbeat)
	if err != nil {
		return err
	}
	r.running.Go(func() {
		defer beats.Stop()
		looked := map[string]time.Time{}
		for {
			select {
			case <-ctx.Done():
				return
			case body := <-beats.C():
				var beat task.Heartbeat
				if json.Unmarshal(body, &beat) != nil || beat.Leaving || queue.CheckLane(beat.Pool) != nil ||
					time.Since(looked[beat.Pool]) < lanesEvery || !turn() {
					continue
				}
				looked[beat.Pool] = time.Now()
				r.keepLane(ctx, beat.Pool)
			}
		}
	})
	return nil
}

// keepLane makes a lane if it is not there. If that cannot be done now it is
// tried again with one of the next heartbeats.
func (r *Runtime) keepLane(ctx context.Context, pool string) {
	call, cancel := context.WithTimeout(ctx, laneWithin)
	defer cancel()
	if _, err := r.work.Lane(call, pool); err != nil && ctx.Err() == nil {
		r.options.Log.Warn("orchestrator: the lane of a pool could not be looked after", "pool", pool, "error", err)
	}
}
