package bench

import (
	"context"
	"time"
)

// settleFor is how long what was just opened may be busy with that.
const settleFor = time.Second

// idleCPU is how much of one core this process uses while it has nothing to do.
func idleCPU(ctx context.Context, seconds float64) (map[string]float64, error) {
	if seconds <= 0 {
		return nil, nil
	}
	if err := sleep(ctx, settleFor); err != nil {
		return nil, err
	}
	clock := startClock()
	if err := sleep(ctx, time.Duration(seconds*float64(time.Second))); err != nil {
		return nil, err
	}
	m := clock.stop(0)
	return map[string]float64{"idle_cpu_percent": 100 * m.CPU / m.Seconds}, nil
}

func sleep(ctx context.Context, d time.Duration) error {
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-timer.C:
		return nil
	case <-ctx.Done():
		return context.Cause(ctx)
	}
}
