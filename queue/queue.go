// Package queue moves messages between the two contexts: stored ones, each to
// one of many competing consumers ([Queue]), and fleeting ones to everybody
// who listens ([Signals]).
//
// A stored message is delivered at least once. A delivery is a lease: it
// belongs to the consumer until it acks or until the lease runs out, and
// Extend starts the lease anew. After that the message is delivered again, to
// anyone, with a higher Delivery.Count. There is no limit of deliveries: what
// to do with a message that comes again and again is the consumer's decision.
package queue

import (
	"context"
	"errors"
	"time"
)

// ErrUnavailable is wrapped by errors of a backend that cannot be reached. A
// message may or may not have been stored: sending again may duplicate it.
var ErrUnavailable = errors.New("queue unavailable")

// ErrTooLarge is wrapped by a Send of a message that the backend does not
// accept. Nothing of that Send that comes after it was stored.
var ErrTooLarge = errors.New("message too large")

// Message is a body and the key it is filed under (a process ID), by which
// Purge and Pending find it.
type Message struct {
	Lane string // of a queue in lanes, who may receive it; of a sharded one, who may have sent it; "": DefaultLane; other queues ignore it
	Key  string
	Body []byte

	// Trace is the context of a trace that the message belongs to, as W3C's
	// traceparent writes it; "": of none.
	Trace string
}

// DefaultLane is the lane of the messages that name none.
const DefaultLane = "default"

// Reports is the lane of an inbox that workers send to. Who owns the inbox takes
// from it what workers may say, and no commands; a backend with locks lets
// workers send to no other.
const Reports = "report"

// Lanes is a queue whose consumers each receive from one lane, such as a pool
// of workers. Its own Receive takes from DefaultLane; Purge and Pending are
// about a key in all lanes.
type Lanes interface {
	Queue

	// Lane is the same queue, with a Receive that takes from another lane. A
	// lane comes into being when it is first used, and has a name like a key. A
	// delivery of the default lane names none.
	Lane(ctx context.Context, name string) (Queue, error)
}

// Undecodable is the key by which workers, and nobody else, put into quarantine
// what they cannot read.
const Undecodable = "undecodable"

// Delivery is a message on lease to this consumer.
type Delivery struct {
	Message
	Count int       // 1 the first time; more: an earlier holder let its lease run out, or its shard go, or gave up as it came
	Sent  time.Time // when it was stored, by the clock of who did; for people, never to decide by
	Token any       // the backend's handle
}

// Sender is a queue as it is for those who only send.
type Sender interface {
	// Send stores the messages, in order for each key; when it returns without
	// error all are stored. It waits while the backend pushes back.
	Send(ctx context.Context, messages ...Message) error
}

// Consumer is a queue as it is for those who only receive.
type Consumer interface {
	// Receive takes at most max messages on lease, and none beyond that. It
	// waits up to wait for the first one, then returns what is there at once;
	// nothing there is not an error. With wait 0 it does not wait.
	Receive(ctx context.Context, max int, wait time.Duration) ([]Delivery, error)

	// Ack removes deliveries for good. Acking twice, or after the lease ran
	// out and somebody else acked, is no error.
	Ack(ctx context.Context, deliveries ...Delivery) error

	// Extend starts the lease of each delivery anew.
	Extend(ctx context.Context, deliveries ...Delivery) error

	// Lease is how long a delivery belongs to its consumer without Extend.
	Lease() time.Duration
}

// Queue is one stored queue.
type Queue interface {
	Sender
	Consumer

	// Purge removes all messages of a key, leased ones included.
	Purge(ctx context.Context, key string) error

	// Pending counts the messages of a key that are not acked, leased ones included.
	Pending(ctx context.Context, key string) (int, error)
}

// Signals are messages that are never stored: who does not listen misses them.
type Signals interface {
	// Publish sends body to everybody subscribed to topic now.
	Publish(ctx context.Context, topic string, body []byte) error

	// Subscribe listens to a topic until the listener is stopped. A listener
	// that does not keep up loses messages, oldest first.
	Subscribe(topic string) (Listener, error)
}

// Listener receives the signals of one topic.
type Listener interface {
	// C delivers the signals. It is closed by Stop.
	C() <-chan []byte
	Stop()
}
