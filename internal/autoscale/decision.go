package autoscale

import (
	"fmt"
	"time"
)

// Kind is what a decision is about. It is storage.
type Kind string

// The kinds of decisions.
const (
	Began    Kind = "began"    // the workers are ours to keep
	Rose     Kind = "rose"     // more
	Fell     Kind = "fell"     // fewer
	Held     Kind = "held"     // more are wanted, and would not help
	Blind    Kind = "blind"    // no figures: nothing changes
	Steady   Kind = "steady"   // what held the number, or hid the figures, is over
	Replaced Kind = "replaced" // one that died is started again
	Failing  Kind = "failing"  // workers die as soon as they start: it waits before the next try
	Killed   Kind = "killed"   // one did not leave in time
	Left     Kind = "left"     // all are drained: this is the end
)

// Decision is how many workers there should be, and why.
type Decision struct {
	At      time.Time `json:"at"`
	Kind    Kind      `json:"kind"`
	From    int       `json:"from"`
	To      int       `json:"to"`
	Why     string    `json:"why"`
	Figures *Figures  `json:"figures,omitempty"` // what it was made of
}

// String is the decision in a sentence: "a backlog of 84s of work, 21s a slot,
// target 10s: 4 -> 8".
func (d Decision) String() string {
	if d.From == d.To {
		return fmt.Sprintf("%s: %d", d.Why, d.To)
	}
	return fmt.Sprintf("%s: %d -> %d", d.Why, d.From, d.To)
}
