package queue

import (
	"context"
	"time"
)

// Browser looks at a queue without taking anything on lease: for people, who
// look at what lies there and decide on one message at a time. Not every
// backend can do it; a queue that nobody consumes, such as a quarantine, needs it.
type Browser interface {
	// Browse lists, in the order in which they were stored, up to n messages
	// whose number is greater than after; those on lease are among them.
	// None means there are no more.
	Browse(ctx context.Context, after uint64, n int) ([]Browsed, error)

	// Remove removes a message for good, whoever has it on lease. One that is
	// not there any more is no error: two people may remove the same.
	Remove(ctx context.Context, number uint64) error
}

// Browsed is a message as it lies in the queue.
type Browsed struct {
	Message
	Number uint64 // from 1 on; no other message of the queue ever has it
	Sent   time.Time
}
