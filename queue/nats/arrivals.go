package nats

import (
	"errors"
	"strconv"
	"strings"
	"time"

	natsgo "github.com/nats-io/nats.go"

	"github.com/deedrun/deed/queue"
)

// settle reads one answer: a message, or what became of a request. A message of
// a shard that was let go goes back at once.
func (s *Sharded) settle(now time.Time, m *natsgo.Msg) {
	d, ok := s.delivery(m)
	switch {
	case ok:
	case strings.HasPrefix(m.Subject, s.prefix):
		// Not by Send: somebody filed it where its key does not belong, or under
		// what is no key. Given back it would come again for ever.
		_ = s.nc.Publish(m.Reply, []byte("+TERM")) // else it comes again, and then this does
		return
	default:
		s.settleStatus(now, m)
		return
	}
	shard := queue.ShardOf(d.Key)
	h := s.held[shard]
	if h == nil {
		s.giveBack(d)
		return
	}
	if pin := pinOf(m); pin != h.pin {
		h.pin, h.heard = pin, now
	}
	h.active = now
	h.trouble = nil
	s.ready = append(s.ready, arrived{shard, d})
	s.bytes += len(d.Body)
	h.ready++
	if h.left > 0 {
		if h.left--; h.left == 0 {
			h.batch = min(2*h.batch, mostAsked)
		}
	}
}

// pinOf is the pin that a message came by. The server puts it behind the headers
// of who sent the message, who may have written one there, too.
func pinOf(m *natsgo.Msg) string {
	pins := m.Header.Values("Nats-Pin-Id")
	if len(pins) == 0 {
		return ""
	}
	return pins[len(pins)-1]
}

// settleStatus reads what became of a request.
func (s *Sharded) settleStatus(now time.Time, m *natsgo.Msg) {
	token, label, _ := strings.Cut(strings.TrimPrefix(m.Subject, s.subject), ".")
	shard, err := strconv.Atoi(token)
	if err != nil || shard < 0 || shard >= queue.ShardCount || s.held[shard] == nil {
		return // to nothing that we asked, or that still matters
	}
	h := s.held[shard]
	_, last, err := readStatus(m)
	switch {
	case !last:
	case errors.Is(err, errPin) && (label == "pin" || label == strconv.Itoa(h.turn)):
		// The pin lapsed, or somebody else has it by now. Asked without one, the
		// server gives the shard to whoever it is free for.
		h.pin, h.left = "", 0
	case label != strconv.Itoa(h.turn):
	default:
		h.left = 0
		if err == nil {
			h.batch = max(h.batch/2, leastAsked)
			return
		}
		if errors.Is(err, natsgo.ErrNoResponders) || errors.Is(err, errDeleted) {
			h.made = false
		}
		h.pin, h.trouble, h.notYet = "", err, now.Add(askAgainAfter)
	}
}

// giveBack has a delivery delivered to somebody else at once.
func (s *Sharded) giveBack(d queue.Delivery) {
	_ = s.nc.Publish(d.Token.(token).reply, []byte("-NAK")) // else its lease runs out
}
