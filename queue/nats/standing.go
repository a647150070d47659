package nats

import (
	"context"
	"encoding/json"
	"strconv"
	"time"

	natsgo "github.com/nats-io/nats.go"

	"github.com/deedrun/deed/internal/natsconn"
)

const (
	// leastAsked and mostAsked bound how many messages the request of a shard
	// asks for: more the faster they come. maxAsked bounds it over all shards,
	// beyond which each still asks for the least, and readyBytes what may lie
	// here unreturned before no more is asked for: all of it is on lease.
	leastAsked = 64
	mostAsked  = 1024
	maxAsked   = 8192
	readyBytes = 32 << 20

	// askInCluster is askFor in a cluster: a request that stands at one of its
	// servers is gone with that one, without a word to who is connected with another.
	askInCluster = 3 * time.Second

	// overdueAfter is how long the end of a request may be late before it counts
	// as lost, and how long a refusal may take.
	overdueAfter = time.Second

	// renewPin is how often the server hears from a pinned consumer, and
	// keepPin how long after the last message it does.
	renewPin = pinFor / 2
	keepPin  = 3 * time.Second

	// askAgainAfter is how long a request waits that the server did not take.
	askAgainAfter = 100 * time.Millisecond

	// makeWithin bounds an attempt to create a consumer, makeAgainAfter is the
	// time until the next.
	makeWithin     = 2 * time.Second
	makeAgainAfter = time.Second
)

// standing is the request for the messages of a shard that is held.
type standing struct {
	shard    int
	consumer *consumer
	sub      *natsgo.Subscription

	made    bool      // the consumer is there, as far as known
	making  bool      // it is being made
	makeAt  time.Time // before which it must not be tried again
	refused error     // why it cannot be made

	turn    int // which request stands; answers to earlier ones count no more
	left    int // of the messages it asked for; 0: none stands
	asked   time.Time
	overdue time.Time
	notYet  time.Time // before which it must not be asked again
	trouble error     // why none stands

	batch int // how many to ask for
	ready int // of Sharded.ready

	pin    string    // by which the server knows that this consumer is pinned
	heard  time.Time // when the server last heard the pin from here
	active time.Time // when the last message came
}

// pinned is a request of a consumer with pins. It stands until it brought what
// it asks for, unlike one that does not wait.
type pinned struct {
	request
	MaxBytes int64  `json:"max_bytes,omitempty"`
	Group    string `json:"group"`
	ID       string `json:"id,omitempty"`
}

// tend sees to it that a request stands for each shard held, and that the pins
// hold. It says when to come back, and why nothing can come.
func (s *Sharded) tend(now time.Time) (again time.Time, err error) {
	again = now.Add(askFor)
	if s.nc.IsClosed() {
		return again, natsgo.ErrConnectionClosed
	}
	if !s.nc.IsConnected() {
		return again, natsgo.ErrDisconnected
	}
	asked, held, stuck := 0, 0, 0
	var refused error
	broken := s.connection.lost()
	for _, h := range &s.held {
		if h == nil {
			continue
		}
		held++
		if broken {
			h.left, h.pin, h.notYet = 0, "", time.Time{}
		}
		asked += h.left
	}
	if broken {
		s.connection = s.inboxes.session()
	}
	for _, h := range &s.held {
		if h == nil {
			continue
		}
		asked -= h.left
		s.tendOne(h, now, maxAsked-asked)
		asked += h.left
		if next := h.next(); next.Before(again) {
			again = next
		}
		if h.trouble != nil {
			stuck++
			err = h.trouble
		}
		if h.refused != nil {
			refused = h.refused
		}
	}
	switch {
	case refused != nil:
		return again, refused
	case stuck < held: // others get on
		return again, nil
	default:
		return again, err
	}
}

// tendOne sees to the request of one shard, which may ask for more than the
// least only as far as room goes.
func (s *Sharded) tendOne(h *standing, now time.Time, room int) {
	if h.left > 0 && now.After(h.overdue) {
		h.left = 0
	}
	if h.left > 0 {
		if h.trouble != nil && !now.Before(h.settled()) {
			h.trouble, h.left = nil, 0
		}
		s.keepPinned(h, now)
	}
	if h.left > 0 || now.Before(h.notYet) || 2*h.ready > h.batch || s.bytes >= readyBytes {
		return
	}
	if !h.made && !h.making && !now.Before(h.makeAt) {
		s.makeConsumer(h)
	}
	s.renew(h, now, room)
}

// settled is when a request that the server did not refuse counts as taken. A
// consumer that was just being made, or was electing a leader, may have lost it
// without a word: after such trouble it is repeated then.
func (h *standing) settled() time.Time { return h.asked.Add(overdueAfter) }

// next is when this request needs tending, if nothing comes.
func (h *standing) next() time.Time {
	switch {
	case h.left == 0:
		return h.notYet
	case h.trouble != nil:
		return h.settled()
	case h.pin != "" && h.heard.Add(renewPin).Before(h.overdue):
		return h.heard.Add(renewPin)
	default:
		return h.overdue
	}
}

// keepPinned renews the pin of a shard that messages come to. That of one which
// nothing came to for a while lapses; the request that stood by it is replaced
// by one that takes no pin, before the next message finds it useless.
func (s *Sharded) keepPinned(h *standing, now time.Time) {
	unheard := now.Sub(h.heard)
	if h.pin == "" || unheard < renewPin {
		return
	}
	if unheard < pinFor && now.Sub(h.active) < keepPin {
		// The server answers it at once, and has nothing to remember of it.
		s.publish(h, now, "pin", pinned{request: request{Batch: 1, NoWait: true}})
		return
	}
	h.pin, h.left = "", 0
}

// renew asks for messages.
func (s *Sharded) renew(h *standing, now time.Time, room int) {
	if now.Sub(h.heard) >= pinFor {
		h.pin = ""
	}
	batch := max(min(h.batch, room), leastAsked)
	s.turns++
	h.turn = s.turns
	ask := pinned{request: request{Batch: batch, Expires: s.standsFor()}, MaxBytes: max(s.nc.MaxPayload()+1<<10, readyBytes/4)}
	if s.publish(h, now, strconv.Itoa(h.turn), ask) {
		h.left, h.asked, h.overdue = batch, now, now.Add(s.standsFor()+overdueAfter)
	}
}

func (s *stream) standsFor() time.Duration {
	if s.replicated {
		return askInCluster
	}
	return askFor
}

// publish sends a request of a shard, by the pin that it has.
func (s *Sharded) publish(h *standing, now time.Time, label string, ask pinned) bool {
	ask.Group, ask.ID = pinGroup, h.pin
	body, err := json.Marshal(ask)
	if err == nil {
		err = s.nc.PublishRequest(h.consumer.next, s.subject+shardToken(h.shard)+"."+label, body)
	}
	if err != nil {
		h.left, h.trouble, h.notYet = 0, err, now.Add(askAgainAfter)
		return false
	}
	if h.pin != "" {
		h.heard = now
	}
	return true
}

// makeConsumer creates the consumer of a shard on the side. Meanwhile its
// request is repeated: perhaps the consumer is there, and had no leader.
func (s *Sharded) makeConsumer(h *standing) {
	h.making = true
	go func() {
		call, cancel := natsconn.Call(context.Background(), s.nc, makeWithin)
		defer cancel()
		err := h.consumer.ensureOnce(call)
		s.mu.Lock()
		defer s.mu.Unlock()
		h.making, h.made, h.refused = false, err == nil, nil
		h.makeAt = time.Now().Add(makeAgainAfter)
		if err == nil {
			h.left, h.notYet = 0, time.Time{}
		} else if !isUnavailable(err) && call.Err() == nil {
			h.refused = err
		}
		s.look()
	}()
}
