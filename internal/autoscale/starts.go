package autoscale

import "time"

// A worker that dies within shortLife of its start may say that the next one will
// do the same.
const (
	shortLife  = 5 * time.Second
	firstPause = time.Second / 2
	longPause  = time.Minute
)

// starts says when a worker may be started: at once, also for one that died young.
// If that one dies young, too, the next waits, and each time twice as long. Those
// that were started together and died together count once.
type starts struct {
	failures int // in a row
	counted  time.Time
	from     time.Time // when the next may start
}

// died notes the end of a worker that was to go on. It reports whether the next
// has to wait for that.
func (s *starts) died(now, began time.Time) (waits bool) {
	if now.Sub(began) >= shortLife || s.failures > 0 && began.Before(s.counted) {
		return false
	}
	s.failed(now)
	return !s.may(now)
}

// failed notes that none could be started.
func (s *starts) failed(now time.Time) {
	s.counted, s.from = now, now
	if s.failures > 0 {
		s.from = now.Add(min(firstPause<<min(s.failures-1, 10), longPause))
	}
	s.failures++
}

// lived notes that a worker which was started at a time has outlived its start.
func (s *starts) lived(now, began time.Time) {
	if s.failures > 0 && !began.Before(s.counted) && now.Sub(began) >= shortLife {
		*s = starts{}
	}
}

// may reports whether a worker may be started now.
func (s *starts) may(now time.Time) bool { return !now.Before(s.from) }
