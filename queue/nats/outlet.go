package nats

import (
	"context"
	"fmt"

	natsgo "github.com/nats-io/nats.go"

	"github.com/deedrun/deed/queue"
)

// Outlet is a queue for who only sends to it. It asks the server for nothing, so
// that a user who may do nothing else has one; while the stream is not there its
// Send fails with queue.ErrUnavailable.
type Outlet struct{ stream *stream }

var _ queue.Sender = (*Outlet)(nil)

// OpenOutlet is the outlet of a plain queue that others open. Of the options
// only the names matter.
func OpenOutlet(nc *natsgo.Conn, o Options) (*Outlet, error) { return openOutlet(nc, o, plain) }

// OpenShardedOutlet is that of a queue in shards.
func OpenShardedOutlet(nc *natsgo.Conn, o Options) (*Outlet, error) {
	return openOutlet(nc, o, inShards)
}

// OpenLanesOutlet is that of a queue in lanes. What it sends to a lane that nobody
// has made waits for who does.
func OpenLanesOutlet(nc *natsgo.Conn, o Options) (*Outlet, error) { return openOutlet(nc, o, inLanes) }

func openOutlet(nc *natsgo.Conn, o Options, f form) (*Outlet, error) {
	s, _, err := describe(nc, o, f)
	if err != nil {
		return nil, err
	}
	return &Outlet{s}, nil
}

// describe is a stream that others look after.
func describe(nc *natsgo.Conn, o Options, f form) (*stream, Options, error) {
	o, err := o.withDefaults()
	if err != nil {
		return nil, o, fmt.Errorf("open queue: %w", err)
	}
	s := &stream{nc: nc, name: o.Name, form: f, prefix: o.Subject + ".", lease: o.Lease, inboxes: newPool(nc)}
	s.replicated = nc.ConnectedClusterName() != "" // if it is not, elections are expected where there are none
	return s, o, nil
}

// Send stores the messages, as Queue.Send does.
func (o *Outlet) Send(ctx context.Context, messages ...queue.Message) error {
	return o.stream.Send(ctx, messages...)
}
