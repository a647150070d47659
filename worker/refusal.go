package worker

import (
	"fmt"
	"strings"

	"github.com/deedrun/deed/queue"
	"github.com/deedrun/deed/task"
)

// refuses says why a task is for another worker; nil: it can be executed here,
// now or later. What deed itself sends any worker does, of whatever pool.
func (w *Worker) refuses(work *task.Work) error {
	if strings.HasPrefix(work.Run.Handler, task.BuiltinPrefix) && !isStandard(work.Run.Handler) {
		return w.opt.Registry.Offers(work.Run.Handler)
	}
	if pool := poolName(work.Pool); pool != w.opt.Pool && !w.opt.AnyPool {
		return fmt.Errorf("it is for %s; this worker serves %s", poolText(pool), poolText(w.opt.Pool))
	}
	if work.Run.Handler != "" {
		if err := w.opt.Registry.Offers(work.Run.Handler); err != nil {
			return err
		}
	} else if work.Run.Shell != "" || len(work.Run.Command) > 0 { // else it fails, and says why
		if err := w.programs.refuses(work.Run); err != nil {
			return err
		}
		if err := w.programs.refusesEnv(work); err != nil {
			return err
		}
	}
	if !work.Needs.Fit(w.opt.Offer) {
		return fmt.Errorf("it needs %s; this worker offers %s in all", work.Needs, w.opt.Offer)
	}
	return nil
}

// poolName is "" for the pool of the tasks that name none, by whatever name.
func poolName(pool string) string {
	if pool == queue.DefaultLane {
		return ""
	}
	return pool
}

func poolText(pool string) string {
	if pool == "" {
		return "tasks without a pool"
	}
	return fmt.Sprintf("the pool %q", clip(pool))
}
