package worker

import "time"

const (
	prefetchTime = 20 * time.Millisecond // of work held a slot
	prefetchMost = 256                   // tasks a slot
)

// pace is how long tasks take and how many come in a message, as moving
// averages: what decides how much a worker holds beyond what it runs. Others
// could have that, and what is short could be done before it: so nothing is held
// where tasks take longer than prefetchTime, and where some do, it is they that
// count. A slow one is half of the average at once, a quick one an eighth.
type pace struct {
	measured bool
	task     time.Duration
	message  float64 // tasks
}

func (p *pace) took(d time.Duration) {
	if !p.measured {
		p.measured, p.task = true, d
		return
	}
	if d > p.task {
		p.task += (d - p.task) / 2
		return
	}
	p.task += (d - p.task) / 8
}

func (p *pace) carried(tasks int) {
	if p.message == 0 {
		p.message = float64(tasks)
		return
	}
	p.message += (float64(tasks) - p.message) / 8
}

// prefetch is how many tasks to hold a slot beyond the one it runs; longest is
// how long the oldest running task takes already.
func (p *pace) prefetch(longest time.Duration) int {
	if !p.measured || longest > prefetchTime {
		return 0
	}
	return min(prefetchMost, int(prefetchTime/max(p.task, time.Microsecond)))
}

// messages is how many messages probably bring so many tasks, at least one.
func (p *pace) messages(tasks int) int {
	return max(1, int(float64(tasks)/max(1, p.message)))
}
