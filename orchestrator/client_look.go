package orchestrator

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"time"

	"github.com/deedrun/deed/queue"
)

const (
	lookAgain  = time.Second     // after which a question is asked again
	lookWithin = 3 * time.Second // after the first answer; then it has to do without the others
)

// Look asks the orchestrator what it sees of a process, or of all, right now.
// It repeats itself until it is answered or ctx ends. A question about all is
// answered by each replica for its shards; if some of them do not answer until
// ctx's time is over, or for a while, what the others see is returned, and is
// not certain.
func (c *Client) Look(ctx context.Context, id string) (View, error) {
	if c.Via != nil {
		return c.Via.Look(ctx, id)
	}
	topic, replies, err := c.listen()
	if err != nil {
		return View{}, fmt.Errorf("ask the orchestrator: %w", err)
	}
	defer replies.Stop()
	question, err := json.Marshal(question{ReplyTo: topic, Process: id})
	if err != nil {
		return View{}, fmt.Errorf("ask the orchestrator: %w", err)
	}
	wanted := queue.AllShards
	if id != "" {
		wanted = queue.Shards(0).With(queue.ShardOf(id))
	}
	seen := answers{}
	var enough <-chan time.Time
	for {
		if err := c.Signals.Publish(ctx, topicAsk, question); err != nil && ctx.Err() == nil { // else what is below says it
			return View{}, fmt.Errorf("ask the orchestrator: %w", err)
		}
		again := time.After(lookAgain)
		for waits := true; waits; {
			select {
			case <-ctx.Done():
				if len(seen) > 0 && errors.Is(ctx.Err(), context.DeadlineExceeded) {
					return seen.partial(), nil
				}
				return View{}, fmt.Errorf("ask the orchestrator: no answer: %w", context.Cause(ctx))
			case <-enough:
				return seen.partial(), nil
			case <-again:
				waits = false
			case reply := <-replies.C():
				var v View
				if err := json.Unmarshal(reply, &v); err != nil {
					return v, fmt.Errorf("ask the orchestrator: the answer cannot be read: %w", err)
				}
				if seen.add(v); seen.shards()&wanted == wanted {
					return seen.merge(), nil
				}
				if enough == nil {
					enough = time.After(lookWithin)
				}
			}
		}
	}
}
