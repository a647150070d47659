package task

// Topics of the signals between orchestrators and workers, which are never
// stored: one that is missed is said again, or made up for.
const (
	TopicHeartbeat = "heartbeat" // workers: Heartbeat, once a second
	TopicRollCall  = "rollcall"  // orchestrators: each worker sends a heartbeat at once
	TopicCancel    = "cancel"    // orchestrators: Cancel, what to give up of a process
	TopicDrain     = "drain"     // people: Drain, who is to leave
)
