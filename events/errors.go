package events

import "errors"

// ErrTooLarge is wrapped by an Append whose commit exceeds what the backend
// stores in one write. Nothing was written; retrying is pointless.
var ErrTooLarge = errors.New("commit too large")

// ErrUnavailable is wrapped by errors of a backend that cannot be reached. The
// append may or may not have been stored: retry with the same commit ID.
var ErrUnavailable = errors.New("event store unavailable")

// DamagedError says that what is stored is no history any more: something of it
// is missing, altered, or somebody else's. Waiting does not cure it, a copy
// does.
type DamagedError struct{ Err error }

func (e *DamagedError) Error() string { return e.Err.Error() }
func (e *DamagedError) Unwrap() error { return e.Err }

// ErrStopped is what a subscription's Next returns after Stop.
var ErrStopped = errors.New("subscription stopped")
