// Package queuetest is what every backend of package queue must do: run
// [RunQueue], [RunLanes], [RunSharded] and [RunSignals] in the backend's own tests.
package queuetest

import (
	"context"
	"fmt"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/deedrun/deed/queue"
)

// World is one fresh, empty queue as a behaviour sees it.
type World struct {
	// A and B are two consumers of the queue, each with a connection of its
	// own where the backend has connections.
	A, B queue.Queue

	// Advance moves the clock that leases are judged by; nil: it is the real one.
	Advance func(time.Duration)

	// TooLarge is the size of a body that the backend refuses, above 1 MiB.
	TooLarge int

	// Kill ends A as the end of its process would. Nil: it cannot be ended.
	Kill func()

	// Restart ends the backend and starts it again with what it had stored;
	// A and B stay. Nil: the backend stores nothing.
	Restart func()
}

// Open makes a World whose queue has the given lease, and ends it with the test.
type Open func(t *testing.T, lease time.Duration) World

const (
	long  = time.Minute            // a lease that does not run out during a test
	short = 250 * time.Millisecond // a lease that does
	soon  = 15 * time.Second       // a wait that only a failing test waits out
)

// RunQueue checks the contract of queue.Queue.
func RunQueue(t *testing.T, open Open) {
	RunQueueIn(t, func(t *testing.T, test func(*testing.T)) { test(t) }, open)
}

// RunQueueIn is RunQueue with every behaviour inside a surrounding of its own,
// such as synctest.Test, in which leases run out as soon as everybody waits.
func RunQueueIn(t *testing.T, surround func(*testing.T, func(*testing.T)), open Open) {
	runGroups(t, surround, open, []group{
		{"delivery", runDelivery},
		{"bodies and refusals", runRefusals},
		{"leases", runLeases},
		{"keys", runKeys},
		{"waiting and cancelling", runWaiting},
		{"browsing", runBrowsing},
		{"load", runLoad},
		{restart, runRestart},
	})
}

// group is some behaviours about one thing.
type group struct {
	name string
	run  func(suite)
}

func runGroups(t *testing.T, surround func(*testing.T, func(*testing.T)), open Open, groups []group) {
	for _, group := range groups {
		t.Run(group.name, func(t *testing.T) {
			// A restart takes the backend from everybody who shares it.
			if group.name != restart {
				t.Parallel()
			}
			group.run(suite{t, surround, open})
		})
	}
}

const restart = "restart"

// suite is what a group of behaviours runs with.
type suite struct {
	t        *testing.T
	surround func(*testing.T, func(*testing.T))
	open     Open
}

func (s suite) run(behaviour string, test func(t *testing.T, open Open)) {
	s.t.Run(behaviour, func(t *testing.T) {
		s.surround(t, func(t *testing.T) { test(t, s.open) })
	})
}

// numbered makes n messages of a key with the bodies "0", "1", …
func numbered(key string, n int) []queue.Message {
	out := make([]queue.Message, n)
	for i := range out {
		out[i] = queue.Message{Key: key, Body: fmt.Append(nil, i)}
	}
	return out
}

func send(t *testing.T, q queue.Queue, messages ...queue.Message) {
	t.Helper()
	require.NoError(t, q.Send(t.Context(), messages...))
}

func receive(t *testing.T, q queue.Queue, most int, wait time.Duration) []queue.Delivery {
	t.Helper()
	got, err := q.Receive(t.Context(), most, wait)
	require.NoError(t, err)
	require.LessOrEqual(t, len(got), most, "received more than it asked for")
	return got
}

// receiveAll receives until it has n deliveries.
func receiveAll(t *testing.T, q queue.Queue, n int) []queue.Delivery {
	t.Helper()
	var got []queue.Delivery
	for len(got) < n {
		more := receive(t, q, n-len(got), soon)
		require.NotEmpty(t, more, "%d of %d messages arrived", len(got), n)
		got = append(got, more...)
	}
	return got
}

// receiveAgain lets the lease of n deliveries run out, and receives them.
func (w World) receiveAgain(t *testing.T, q queue.Queue, n int) []queue.Delivery {
	t.Helper()
	if w.Advance != nil {
		w.Advance(q.Lease())
	}
	return receiveAll(t, q, n)
}

// hold extends deliveries in time for as long as several leases, and fails
// when another consumer gets one of them. A machine that stood still for so
// long that a lease did run out proves nothing: then ok is false.
func (w World) hold(t *testing.T, q queue.Queue, held []queue.Delivery) (ok bool) {
	t.Helper()
	extended := time.Now()
	for range 12 {
		wait := q.Lease() / 4
		if w.Advance != nil {
			w.Advance(wait)
			wait = 0
		}
		got := receive(t, w.B, 1, wait)
		require.NoError(t, q.Extend(t.Context(), held...))
		if time.Since(extended) > q.Lease()*2/3 {
			return false
		}
		require.Empty(t, got, "a message whose lease was extended")
		extended = time.Now()
	}
	return true
}

// pass lets time go by during which nothing may be delivered.
func (w World) pass(t *testing.T, d time.Duration) {
	t.Helper()
	wait := d
	if w.Advance != nil {
		w.Advance(d)
		wait = 0
	}
	require.Empty(t, receive(t, w.B, 1, wait), "a message that nobody should get")
}

func ack(t *testing.T, q queue.Queue, deliveries ...queue.Delivery) {
	t.Helper()
	require.NoError(t, q.Ack(t.Context(), deliveries...))
}

// pendingBecomes waits for the count: an ack may take a moment to show.
func pendingBecomes(t *testing.T, q queue.Queue, key string, want int) {
	t.Helper()
	got := -1
	require.Eventually(t, func() bool {
		n, err := q.Pending(context.Background(), key)
		got = n
		return err == nil && n == want
	}, soon, 5*time.Millisecond, "pending messages of key %q: want %d", key, want)
	require.Equal(t, want, got)
}

func bodies(deliveries []queue.Delivery) []string {
	out := make([]string, len(deliveries))
	for i, d := range deliveries {
		out[i] = string(d.Body)
	}
	return out
}

func counts(deliveries []queue.Delivery) []int {
	out := make([]int, len(deliveries))
	for i, d := range deliveries {
		out[i] = d.Count
	}
	return out
}
