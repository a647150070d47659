package task

// Topics of the signals between orchestrators and workers, which are never
// stored: one that is missed is said again, or made up for.
const (
	TopicHeartbeat = "heartbeat" // workers: Heartbeat, once a second
	TopicRollCall  = "rollcall"  // orchestrators: each worker sends a heartbeat at once
	TopicCancel    = "cancel"    // orchestrators: Cancel, what to give up of a process
	TopicDrain     = "drain"     // people: Drain, who is to leave
)

// Cancel is the body of the signal by which workers are told to stop what they
// execute of a process: everything, or, with Before, only the tasks of these
// addresses whose generation is lower than the one given.
type Cancel struct {
	Process string         `json:"process"`
	Before  map[string]int `json:"before,omitzero"` // empty is nothing, and not everything
}

// Covers reports whether a task of the process is to be stopped.
func (c Cancel) Covers(address string, generation int) bool {
	if c.Before == nil {
		return true
	}
	before, ok := c.Before[address]
	return ok && generation < before
}

// Drain is the body of the signal by which a worker is told to leave: it
// finishes what it executes, hands back what it only holds, and ends.
type Drain struct {
	Worker string `json:"worker"`
}
