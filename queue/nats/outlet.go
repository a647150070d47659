package nats

import (
	natsgo "github.com/nats-io/nats.go"

	"github.com/deedrun/deed/queue"
)

// OpenOutlet is a plain queue for who only sends to it. It asks the server for
// nothing, so that a user who may do nothing else has one; while others have not
// made the queue, or it is gone, Send fails with queue.ErrUnavailable. Of the
// options only the name matters.
func OpenOutlet(nc *natsgo.Conn, o Options) (queue.Sender, error) { return openOutlet(nc, o, plain) }

// OpenShardedOutlet is an outlet of a queue in shards.
func OpenShardedOutlet(nc *natsgo.Conn, o Options) (queue.Sender, error) {
	return openOutlet(nc, o, inShards)
}

// OpenLanesOutlet is an outlet of a queue in lanes. What it sends to a lane that
// nobody has made waits for who does.
func OpenLanesOutlet(nc *natsgo.Conn, o Options) (queue.Sender, error) {
	return openOutlet(nc, o, inLanes)
}

func openOutlet(nc *natsgo.Conn, o Options, f form) (queue.Sender, error) {
	s, err := describe(nc, o, f)
	if err != nil {
		return nil, err
	}
	return outlet{s}, nil
}

// outlet sends and does nothing else: nothing here looks after its stream.
type outlet struct{ queue.Sender }
