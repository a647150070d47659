package nats

import (
	"strconv"
	"strings"
	"time"

	natsgo "github.com/nats-io/nats.go"
)

// inbox is a subscription that answers come to. It serves one call at a time.
//
// The client library would make a subscription, a goroutine and several
// channels for each fetch, and share one window among all publishers; one
// lasting inbox for each concurrent call costs a single round trip.
type inbox struct {
	sub     *natsgo.Subscription
	c       chan *natsgo.Msg
	subject string
	calls   uint64 // that it has served, this one included
}

// reply is the subject for an answer to this call; label finds it again.
func (in *inbox) reply(label string) string {
	return in.subject + strconv.FormatUint(in.calls, 36) + "-" + label
}

// label is that of an answer to this call; ok is false for what came late, to
// an earlier one: a cluster that elects may answer twice.
func (in *inbox) label(subject string) (label string, ok bool) {
	return strings.CutPrefix(subject, in.reply(""))
}

// pool keeps the inboxes that no answer is known to be under way to. Others are
// abandoned: messages that still come there have to be read.
type pool struct {
	nc   *natsgo.Conn
	idle chan *inbox
}

// keepIdle is how many inboxes stay open for the next call.
const keepIdle = 32

func newPool(nc *natsgo.Conn) pool {
	return pool{nc: nc, idle: make(chan *inbox, keepIdle)}
}

// borrow gives an inbox that holds at least so many answers. The client library drops
// what does not fit, so ask for all that can be under way.
func (p pool) borrow(answers int) (*inbox, error) {
	select {
	case in := <-p.idle:
		if cap(in.c) >= answers {
			in.calls++
			return in, nil
		}
		_ = in.sub.Unsubscribe() // nothing is under way to it
	default:
	}
	size := 64
	for size < answers {
		size *= 2
	}
	in := &inbox{c: make(chan *natsgo.Msg, size), subject: p.nc.NewInbox() + "."}
	sub, err := p.nc.ChanSubscribe(in.subject+"*", in.c)
	if err != nil {
		return nil, err
	}
	in.sub = sub
	return in, nil
}

// release takes back an inbox that no answer is under way to.
func (p pool) release(in *inbox) {
	select {
	case p.idle <- in:
	default:
		_ = in.sub.Unsubscribe()
	}
}

// abandonWithin bounds how long a call that was cancelled waits for the server
// to confirm that it sends no more.
const abandonWithin = 500 * time.Millisecond

// abandon ends an inbox that answers may still be under way to, and returns
// those that came until the server knew. Without interest the server forgets
// the request, so no message goes to nobody.
func (p pool) abandon(in *inbox) []*natsgo.Msg {
	if in.sub.Drain() == nil {
		// The answer to this ping follows everything sent before the drain was
		// seen. If it does not come the connection is broken, and leases run out.
		_ = p.nc.FlushTimeout(abandonWithin)
	}
	var late []*natsgo.Msg
	for {
		select {
		case m := <-in.c:
			late = append(late, m)
		default:
			return late
		}
	}
}

// session tells whether the connection is still the one it was: when it was
// lost in between, answers and requests were lost with it.
type session struct {
	nc         *natsgo.Conn
	reconnects uint64
}

func (p pool) session() session {
	return session{p.nc, p.nc.Stats().Reconnects}
}

func (s session) lost() bool {
	return !s.nc.IsConnected() || s.nc.Stats().Reconnects != s.reconnects
}

// watchEvery is how often a call that waits looks at its session.
const watchEvery = 200 * time.Millisecond
