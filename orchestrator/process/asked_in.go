package process

// AskedIn is who asked for what an event tells, and why; ok is false for an
// event that no person asked for.
func AskedIn(e Event) (a Asked, ok bool) {
	switch e := e.(type) {
	case ProcessStarted:
		return e.Asked, true
	case ProcessCancelled:
		return e.Asked, true
	case ProcessPaused:
		return e.Asked, true
	case ProcessResumed:
		return e.Asked, true
	case ProcessRetried:
		return e.Asked, true
	case ProcessRestarted:
		return e.Asked, true
	case ProcessRevised:
		return e.Asked, true
	}
	return Asked{}, false
}
