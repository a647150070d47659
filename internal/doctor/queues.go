package doctor

import (
	"context"
	"fmt"
	"time"

	"github.com/nats-io/nats.go/jetstream"

	"github.com/deedrun/deed/internal/amount"
	"github.com/deedrun/deed/internal/natsconn"
)

// tooMany messages in the inbox are more than replicas that keep up leave there.
const tooMany = 10_000

// checkQueues looks at what lies in the queues.
func (p *place) checkQueues(ctx context.Context, r *report, js jetstream.JetStream, infos []*jetstream.StreamInfo) {
	for i, k := range streams {
		info := infos[i]
		if info == nil {
			continue
		}
		switch k.check {
		case "inbox-stream":
			p.checkInbox(ctx, r, js, k.name, info.State.Msgs)
		case "work-stream":
			p.checkDeliveries(ctx, r, js, k.name)
		case "quarantine-stream":
			p.checkQuarantine(r, info.State.Msgs)
		}
	}
}

func (p *place) checkQuarantine(r *report, messages uint64) {
	if messages == 0 {
		r.ok("quarantine", "it is empty")
		return
	}
	r.add("quarantine", Warn, fmt.Sprintf("%s could not be used", amount.Of(int(messages), "message")),
		fmt.Sprintf("see what they are, %#q, and send again what can be used by now: %#q", p.Ask("quarantine", "ls"), p.Ask("quarantine", "retry", "all")))
}

// checkInbox says whether reports and commands are handled as fast as they come.
func (p *place) checkInbox(ctx context.Context, r *report, js jetstream.JetStream, name string, first uint64) {
	if first > 0 {
		select {
		case <-ctx.Done():
			return
		case <-time.After(time.Second):
		}
		if info, err := p.infoOf(ctx, js, name); err == nil && info != nil {
			now := info.State.Msgs
			switch {
			case now > tooMany && now >= first:
				r.add("inbox", Fail, fmt.Sprintf("%s wait, and do not become fewer", amount.Of(int(now), "message")), "start another replica: `"+p.Role("serve")+"`")
				return
			case now > tooMany:
				r.add("inbox", Warn, fmt.Sprintf("%s wait; they become fewer", amount.Of(int(now), "message")), "wait; if it comes again, start another replica: `"+p.Role("serve")+"`")
				return
			}
			first = now
		}
	}
	r.ok("inbox", "%s under way", amount.Of(int(first), "message"))
}

// checkDeliveries says which pools are given again what somebody was given
// before and did not finish.
func (p *place) checkDeliveries(ctx context.Context, r *report, js jetstream.JetStream, name string) {
	call, cancel := natsconn.Call(ctx, p.NATS.Conn, 3*time.Second)
	defer cancel()
	stream, err := js.Stream(call, name)
	if err != nil {
		return // the stream's own check says so
	}
	again, pools := 0, 0
	consumers := stream.ListConsumers(call)
	for c := range consumers.Info() {
		pools++
		again += c.NumRedelivered
	}
	switch {
	case consumers.Err() != nil:
		r.add("deliveries", Warn, fmt.Sprintf("who receives from %s cannot be listed: %v", name, consumers.Err()), "look whether this user may ask ($JS.API.CONSUMER.LIST."+name+")")
	case again > 0:
		r.add("deliveries", Warn, fmt.Sprintf("%s given to a worker again: an earlier one died, or was cut off", amount.Of(again, "message")), "see who is silent, and what runs for too long: `"+p.Ask("timeouts")+"`")
	default:
		r.ok("deliveries", "nothing had to be given to a worker again, in %s", amount.Of(pools, "pool"))
	}
}
