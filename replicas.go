package deed

import (
	"context"
	"errors"
	"fmt"

	"github.com/nats-io/nats.go"
	"github.com/nats-io/nats.go/jetstream"
)

// clusterReplicas is on how many servers of a cluster streams are kept unless
// somebody says otherwise: one may fail.
const clusterReplicas = 3

// workStream is the stream of the work queue, which is there if deed has been.
const workStream = "deed-work"

// replicas is on how many servers the streams of a NATS server are kept, or
// will be, if nobody has made them yet. Only who orchestrates makes them: a
// worker that came first could not know how many are wanted.
func (r *Runtime) replicas(ctx context.Context, conn *nats.Conn) (int, error) {
	js, err := jetstream.New(conn)
	if err != nil {
		return 0, err
	}
	stream, err := js.Stream(ctx, workStream)
	wanted := r.options.Replicas
	switch {
	case err == nil:
		there := stream.CachedInfo().Config.Replicas
		if wanted > 0 && wanted != there {
			return 0, &finalError{fmt.Errorf("the streams at %s are kept on %d servers, not on %d: leave out --replicas, or change them with the nats command line tool",
				conn.ConnectedUrlRedacted(), there, wanted)}
		}
		return there, nil
	case !errors.Is(err, jetstream.ErrStreamNotFound):
		return 0, &UnreachableError{fmt.Errorf("look for the queues at %s: %w", conn.ConnectedUrlRedacted(), err)}
	case !r.Serving && !r.options.Orchestrate:
		return 0, &UnreachableError{fmt.Errorf("nobody has served deed at %s yet: start `deed serve` there", conn.ConnectedUrlRedacted())}
	case wanted > 0:
		return wanted, nil
	case conn.ConnectedClusterName() != "":
		return clusterReplicas, nil
	}
	return 1, nil
}
