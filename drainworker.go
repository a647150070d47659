package deed

import (
	"context"
	"encoding/json"
	"fmt"

	"github.com/deedrun/deed/task"
)

// DrainWorker tells a worker, wherever it is, to finish what it executes, to
// hand back what it only holds, and to end. A signal may be missed: whether it
// does is to be seen in what Look says of it (Draining, then gone), and else it
// is to be told again.
func (r *Runtime) DrainWorker(ctx context.Context, name string) error {
	if r.remote != nil {
		return r.remote.DrainWorker(ctx, name)
	}
	body, err := json.Marshal(task.Drain{Worker: name})
	if err != nil {
		return fmt.Errorf("drain worker %q: %w", name, err)
	}
	if err := r.Signals.Publish(ctx, task.TopicDrain, body); err != nil {
		return fmt.Errorf("drain worker %q: %w", name, err)
	}
	return nil
}

// Drained is whether the worker of this runtime was told to leave by
// [Runtime.DrainWorker], from wherever.
func (r *Runtime) Drained() bool { return r.worker != nil && r.worker.Drained() }
