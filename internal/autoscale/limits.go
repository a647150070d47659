package autoscale

import (
	"fmt"
	"time"
)

// Limits are what a person asks of a pool.
type Limits struct {
	Min, Max int
	Slots    int           // tasks that one worker executes at a time
	Target   time.Duration // the time in which its slots should be able to work off the backlog
	CoolDown time.Duration // for so long fewer must have been enough before the number falls
}

// check says what is wrong.
func (l Limits) check() error {
	switch {
	case l.Min < 0 || l.Max < 1 || l.Max < l.Min:
		return fmt.Errorf("between %d and %d workers: the most is at least 1, the least is neither negative nor more than the most", l.Min, l.Max)
	case l.Slots < 1:
		return fmt.Errorf("workers of %d slots: each has at least one", l.Slots)
	case l.Target <= 0:
		return fmt.Errorf("a target of %s: give a time in which the backlog should be worked off", l.Target)
	case l.CoolDown < 0:
		return fmt.Errorf("a cool-down of %s: it cannot be negative", l.CoolDown)
	}
	return nil
}
