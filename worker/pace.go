package worker

import "time"

const (
	prefetchTime = 20 * time.Millisecond // of work held a slot
	prefetchMost = 256                   // tasks a slot

	// spareTime is how long tasks may take of which one is held for all slots
	// together: the first that is free begins it at once, and asks for the next.
	spareTime = 100 * time.Millisecond
)

// average is how long tasks take, as a moving average in which it is the slow
// ones that count: a slow one is half of it at once, a quick one an eighth.
type average struct {
	measured bool
	task     time.Duration
}

// took counts tasks that took so long each.
func (a *average) took(each time.Duration, tasks int) {
	switch {
	case !a.measured:
		a.measured, a.task = true, each
	case each > a.task:
		a.task += (each - a.task) / 2
	default:
		a.task += (each - a.task) * time.Duration(min(tasks, 4)) / 8
	}
}

// fill is how many tasks take so long together; 0: fewer than one, or nothing is known.
func (a *average) fill(d time.Duration) int {
	if !a.measured {
		return 0
	}
	return int(d / max(a.task, 100*time.Nanosecond))
}

// pace is how long tasks take and how many come in a message: what decides how
// much a worker holds beyond what it runs. Others could have that, and what is
// short could be done before it: so no more than one is held where tasks take
// longer than prefetchTime, and none where they take longer than spareTime.
type pace struct {
	average

	message float64 // tasks, as a moving average
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
	if longest > prefetchTime {
		return 0
	}
	return min(prefetchMost, p.fill(prefetchTime))
}

// ahead is how many tasks so many slots hold beyond those they run.
func (p *pace) ahead(slots int, longest time.Duration) int {
	n := slots * p.prefetch(longest)
	if n == 0 && longest <= spareTime && p.fill(spareTime) > 0 {
		return 1
	}
	return n
}

// messages is how many messages probably bring so many tasks, at least one.
func (p *pace) messages(tasks int) int {
	return max(1, int(float64(tasks)/max(1, p.message)))
}
