package orchestrator

import (
	"context"
	"encoding/json"
	"errors"
	"slices"
	"time"

	"github.com/deedrun/deed/task"
)

// listen takes in the heartbeats that have come.
func (o *Owner) listen(ctx context.Context, now time.Time) {
	looks := looksAtOnce
	for {
		select {
		case body, ok := <-o.beats.C():
			if !ok {
				return
			}
			beat, err := decodeHeartbeat(body)
			if err != nil {
				o.Log.Warn("orchestrator: a heartbeat that cannot be read is ignored", "error", err)
				continue
			}
			o.running.beat(now, beat)
			o.cancelLeftovers(ctx, beat, &looks)
		case body, ok := <-o.questions.C():
			if !ok {
				return
			}
			o.answerQuestion(ctx, now, body)
		default:
			o.Metrics.Silent(o.running.expire(now))
			return
		}
	}
}

// decodeHeartbeat reads a heartbeat. What it says of tasks that there cannot be
// is left out: who looks at it looks up what is known of each.
func decodeHeartbeat(body []byte) (task.Heartbeat, error) {
	var b task.Heartbeat
	if err := json.Unmarshal(body, &b); err != nil {
		return b, err
	}
	if b.Worker == "" {
		return b, errors.New("it names no worker")
	}
	for i := range b.Holding {
		h := &b.Holding[i]
		h.Running = slices.DeleteFunc(h.Running, func(r task.Running) bool { return r.Index < 0 || r.Index > task.MaxIndex })
	}
	return b, nil
}
