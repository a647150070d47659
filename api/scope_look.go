package api

import (
	"context"
	"slices"

	"github.com/deedrun/deed/internal/access"
	"github.com/deedrun/deed/orchestrator"
	"github.com/deedrun/deed/task"
)

// lookAt asks what the orchestrators see of one process or of all, as far as it
// is there for who asks.
func (s *server) lookAt(ctx context.Context, id string) (orchestrator.View, error) {
	within, cancel := s.answering(ctx)
	defer cancel()
	view, err := s.Look(within, id)
	if err != nil || !access.From(ctx).Scoped() {
		return view, err
	}
	return s.seenOf(ctx, view)
}

// seenOf leaves of a view the processes that exist for who asks. Workers are
// everybody's, and are shown; how busy they and the queues are with what is
// another's is not. Where a list was cut off, what is not in it may be running
// nevertheless: such a view is not certain.
func (s *server) seenOf(ctx context.Context, v orchestrator.View) (orchestrator.View, error) {
	v.Certain = v.Certain && v.More == 0 && len(v.Running) < orchestrator.MaxRunning
	v.More = 0
	running, queues := []orchestrator.RunningTask{}, []orchestrator.QueueView{}
	holding := map[string]int{} // by worker
	for _, t := range v.Running {
		seen, err := s.sees(ctx, t.Process)
		if err != nil {
			return v, err
		}
		if seen {
			running = append(running, t)
			holding[t.Worker]++
		}
	}
	for _, q := range v.Queues {
		seen, err := s.sees(ctx, q.Process)
		if err != nil {
			return v, err
		}
		if seen {
			queues = append(queues, q)
		}
	}
	v.Running, v.Queues = running, queues
	v.Workers = slices.Clone(v.Workers)
	for i := range v.Workers {
		w := &v.Workers[i]
		w.Holding, w.Used = holding[w.Worker], task.Resources{}
	}
	pools := make([]orchestrator.PoolView, len(v.Pools))
	for i, p := range v.Pools {
		pools[i] = orchestrator.PoolView{Pool: p.Pool, Workers: p.Workers, Slots: p.Slots}
	}
	v.Pools = pools
	return v, nil
}
