package raw

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"

	"github.com/nats-io/nats.go"
)

// outlet publishes to a stream with a window of messages under way. It belongs to
// one goroutine.
type outlet struct {
	nc       *nats.Conn
	subject  string
	reply    string
	answers  chan *nats.Msg
	underWay int
}

// stored begins the answer to a publish that was taken.
var stored = []byte(`{"stream":`)

func newOutlet(nc *nats.Conn, subject string, window int) (*outlet, error) {
	o := &outlet{nc: nc, subject: subject, reply: nats.NewInbox(), answers: make(chan *nats.Msg, window)}
	_, err := nc.ChanSubscribe(o.reply, o.answers)
	return o, err
}

// send publishes, after half of the window is free if all of it was taken.
func (o *outlet) send(ctx context.Context, data []byte) error {
	if o.underWay == cap(o.answers) {
		if err := o.settle(ctx, cap(o.answers)/2); err != nil {
			return err
		}
	}
	o.underWay++
	return o.nc.PublishRequest(o.subject, o.reply, data)
}

// settle waits until at most so many are under way.
func (o *outlet) settle(ctx context.Context, most int) error {
	for o.underWay > most {
		if _, err := o.answer(ctx); err != nil {
			return err
		}
	}
	return nil
}

// answer is one to what was published, which says that it is stored.
func (o *outlet) answer(ctx context.Context) ([]byte, error) {
	select {
	case m := <-o.answers:
		o.underWay--
		if !bytes.HasPrefix(m.Data, stored) {
			return nil, fmt.Errorf("publish to %s: the server did not store it: %s%s", o.subject, m.Header.Get("Status"), m.Data)
		}
		return m.Data, nil
	case <-ctx.Done():
		return nil, context.Cause(ctx)
	}
}

// sequenceOf is where a publish was stored.
func sequenceOf(answer []byte) (uint64, error) {
	var ack struct {
		Seq uint64 `json:"seq"`
	}
	err := json.Unmarshal(answer, &ack)
	return ack.Seq, err
}

// intake receives from the consumer of a stream. It belongs to one goroutine.
type intake struct {
	nc      *nats.Conn
	next    string
	inbox   string
	batch   int
	asked   int // of that has not come
	arrived chan *nats.Msg
	taken   []*nats.Msg // see gather
}

func newIntake(nc *nats.Conn, stream string, batch int) (*intake, error) {
	in := &intake{
		nc: nc, next: "$JS.API.CONSUMER.MSG.NEXT." + stream + "." + stream, inbox: nats.NewInbox(),
		batch: batch, arrived: make(chan *nats.Msg, 2*batch),
	}
	if _, err := nc.ChanSubscribe(in.inbox, in.arrived); err != nil {
		return nil, err
	}
	return in, nil
}

// gather waits for one message and takes with it what else is there. What it
// returns is valid until it is called again.
func (in *intake) gather(ctx context.Context) ([]*nats.Msg, error) {
	if in.asked <= in.batch/2 {
		request := fmt.Appendf(nil, `{"batch":%d}`, in.batch-in.asked)
		if err := in.nc.PublishRequest(in.next, in.inbox, request); err != nil {
			return nil, err
		}
		in.asked = in.batch
	}
	in.taken = in.taken[:0]
	for len(in.taken) < in.batch {
		var m *nats.Msg
		if len(in.taken) == 0 {
			select {
			case m = <-in.arrived:
			case <-ctx.Done():
				return nil, context.Cause(ctx)
			}
		} else {
			select {
			case m = <-in.arrived:
			default:
				in.asked -= len(in.taken)
				return in.taken, nil
			}
		}
		if status := m.Header.Get("Status"); status != "" {
			return nil, fmt.Errorf("receive by %s: %s %s", in.next, status, m.Header.Get("Description"))
		}
		in.taken = append(in.taken, m)
	}
	in.asked -= len(in.taken)
	return in.taken, nil
}

var ackBody = []byte("+ACK")

// ack removes messages from their stream.
func (in *intake) ack(messages []*nats.Msg) error {
	for _, m := range messages {
		if err := in.nc.Publish(m.Reply, ackBody); err != nil {
			return err
		}
	}
	return nil
}
