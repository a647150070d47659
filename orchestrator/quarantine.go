package orchestrator

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"strings"

	"github.com/deedrun/deed/queue"
	"github.com/deedrun/deed/task"
)

// quarantinedBody is how much is kept of a message that is too large to be
// kept whole.
const quarantinedBody = 64 << 10

// quarantinedReason is how much is kept of why, which may quote the message.
const quarantinedReason = 1 << 10

// quarantine keeps a message that cannot be used, with the reason, where a
// person can look at it. In its envelope it may be too large for the queue that
// it fitted into before: then its beginning is kept, so that it holds up nobody.
func (o *Owner) quarantine(ctx context.Context, d queue.Delivery, why error) error {
	reason := beginning(why.Error(), quarantinedReason)
	o.Log.Error("orchestrator: a message is put into quarantine", o.inLog(d.Key, "shard", queue.ShardOf(d.Key), "reason", reason)...)
	kept := task.Quarantined{From: "inbox", Lane: d.Lane, Key: d.Key, Reason: reason, Body: d.Body}
	err := o.sendQuarantined(ctx, kept)
	if errors.Is(err, queue.ErrTooLarge) && len(d.Body) > quarantinedBody {
		kept.Body = d.Body[:quarantinedBody]
		kept.Reason += fmt.Sprintf(" (of its %d bytes the first %d are kept)", len(d.Body), quarantinedBody)
		err = o.sendQuarantined(ctx, kept)
	}
	if err != nil {
		return fmt.Errorf("quarantine a message: %w", err)
	}
	o.Metrics.Quarantined()
	return nil
}

// beginning is a text, or as much of it as fits.
func beginning(text string, most int) string {
	if len(text) <= most {
		return text
	}
	return strings.ToValidUTF8(text[:most], "") + " […]"
}

func (o *Owner) sendQuarantined(ctx context.Context, q task.Quarantined) error {
	body, err := json.Marshal(q)
	if err != nil {
		return err
	}
	return o.Quarantine.Send(ctx, queue.Message{Key: "inbox", Body: body})
}
