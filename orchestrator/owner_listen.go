package orchestrator

import (
	"context"
	"encoding/json"
	"fmt"
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

func decodeHeartbeat(body []byte) (task.Heartbeat, error) {
	var b task.Heartbeat
	if err := json.Unmarshal(body, &b); err != nil {
		return b, err
	}
	if b.Worker == "" {
		return b, fmt.Errorf("it names no worker")
	}
	return b, nil
}
