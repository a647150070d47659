package deed

import (
	"context"
	"errors"
	"fmt"

	"github.com/nats-io/nats.go"

	natsqueue "github.com/deedrun/deed/queue/nats"
)

// clusterReplicas is on how many servers of a cluster streams are kept unless
// somebody says otherwise: one may fail.
const clusterReplicas = 3

// replicas is on how many servers the streams of a NATS server are kept, or
// will be, if nobody has made them yet. Only who orchestrates makes them: a
// worker that came first could not know how many are wanted.
func (r *Runtime) replicas(ctx context.Context, conn *nats.Conn) (int, error) {
	there, err := natsqueue.Replicas(ctx, conn, workQueue)
	wanted := r.options.Replicas
	switch {
	case errors.Is(err, nats.ErrPermissionViolation):
		return 0, notAllowed(err)
	case err != nil:
		return 0, &UnreachableError{fmt.Errorf("look for the queues at %s: %w", r.servers(conn), err)}
	case there > 0 && wanted > 0 && wanted != there:
		return 0, &finalError{fmt.Errorf("the streams at %s are kept on %d servers, not on %d: leave out --replicas, or change them with the nats command line tool",
			r.servers(conn), there, wanted)}
	case there > 0:
		return there, nil
	case !r.Serving && !r.options.Orchestrate:
		return 0, &UnreachableError{fmt.Errorf("nobody has served deed at %s yet: start `deed serve` there", r.servers(conn))}
	case wanted > 0:
		return wanted, nil
	case conn.ConnectedClusterName() != "":
		return clusterReplicas, nil
	}
	return 1, nil
}
