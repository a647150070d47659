package orchestrator

import (
	"time"

	"github.com/deedrun/deed/orchestrator/process"
)

// statusBy is the status that an event gives a process, and when; "": none.
func statusBy(before process.Status, e process.Event) (process.Status, time.Time) {
	switch e := e.(type) {
	case process.ProcessStarted:
		return process.Running, e.At
	case process.ProcessResumed:
		return process.Running, e.At
	case process.ProcessRetried:
		return goingAgain(before), e.At
	case process.ProcessRestarted:
		return goingAgain(before), e.At
	case process.ProcessPaused:
		return process.Paused, e.At
	case process.ProcessCompleted:
		return process.Completed, e.At
	case process.ProcessFailed:
		return process.Failed, e.At
	case process.ProcessCancelled:
		return process.Cancelled, e.At
	}
	return "", time.Time{}
}

// goingAgain is the status of what is made to go again: one that is paused stays so.
func goingAgain(before process.Status) process.Status {
	if before == process.Paused {
		return before
	}
	return process.Running
}

// isEnd reports whether a process of a status has ended.
func isEnd(s process.Status) bool {
	return s == process.Completed || s == process.Failed || s == process.Cancelled
}
