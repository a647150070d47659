package esdbtest

import (
	"context"
	"sync"
	"time"

	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/metadata"
	"google.golang.org/grpc/peer"
	"google.golang.org/grpc/status"
)

// Call is a kind of call that faults are planned for.
type Call int

// The calls. A subscription is no read.
const (
	Append Call = iota
	Read
	Subscribe
)

// Fault is what goes wrong with one call.
type Fault struct {
	kind   fault
	events int
	wait   time.Duration
	gate   <-chan struct{}
	err    error
}

type fault int

const (
	cutBefore fault = iota + 1
	cutAfter
	delay
	hold
	refuse
	repeat
)

var (
	// CutBefore cuts the connection before anything is done.
	CutBefore = Fault{kind: cutBefore}
	// CutAfter cuts the connection when all is done, in place of the answer. What
	// is read or subscribed to is cut after its first event.
	CutAfter = Fault{kind: cutAfter, events: 1}
	// Repeat feeds a subscription from the beginning, wherever it asked to begin.
	Repeat = Fault{kind: repeat}
	// NotReady answers that the server cannot just now.
	NotReady = Fault{kind: refuse, err: status.Error(codes.Unavailable, "Server Is Not Ready")}
	// TimedOut answers that the server gave up, whatever it has done.
	TimedOut = Fault{kind: refuse, err: status.Error(codes.Aborted, "Operation timed out")}
	// Denied answers that the user may not.
	Denied = Fault{kind: refuse, err: status.Error(codes.PermissionDenied, "Access Denied")}
)

// CutAfterEvents cuts the connection of a read or subscription after so many
// events.
func CutAfterEvents(n int) Fault { return Fault{kind: cutAfter, events: n} }

// Delay waits before anything is done.
func Delay(d time.Duration) Fault { return Fault{kind: delay, wait: d} }

// Hold waits until the gate is closed before anything is done.
func Hold(gate <-chan struct{}) Fault { return Fault{kind: hold, gate: gate} }

// faults are what is planned for the next calls.
type faults struct {
	lock  sync.Mutex
	next  map[Call][]Fault
	calls map[Call]int
	sent  int
}

// Next plans faults for the next calls of a kind: one each, in this order.
func (f *faults) Next(call Call, planned ...Fault) {
	f.lock.Lock()
	defer f.lock.Unlock()
	if f.next == nil {
		f.next = map[Call][]Fault{}
	}
	f.next[call] = append(f.next[call], planned...)
}

// Calls counts the calls of a kind so far.
func (f *faults) Calls(call Call) int {
	f.lock.Lock()
	defer f.lock.Unlock()
	return f.calls[call]
}

// Fed counts the events that subscriptions were sent so far.
func (f *faults) Fed() int {
	f.lock.Lock()
	defer f.lock.Unlock()
	return f.sent
}

func (f *faults) fed() {
	f.lock.Lock()
	defer f.lock.Unlock()
	f.sent++
}

func (f *faults) take(call Call) Fault {
	f.lock.Lock()
	defer f.lock.Unlock()
	if f.calls == nil {
		f.calls = map[Call]int{}
	}
	f.calls[call]++
	list := f.next[call]
	if len(list) == 0 {
		return Fault{}
	}
	f.next[call] = list[1:]
	return list[0]
}

// begin does what is planned for before a call, and returns what is planned for
// after it.
func (n *node) begin(ctx context.Context, call Call, trailer func(metadata.MD)) (after Fault, err error) {
	f := n.server.take(call)
	switch f.kind {
	case cutBefore:
		return Fault{}, n.cut(ctx)
	case refuse:
		if status.Code(f.err) == codes.PermissionDenied {
			trailer(metadata.Pairs("exception", "access-denied"))
		}
		return Fault{}, f.err
	case delay:
		timer := time.NewTimer(f.wait)
		defer timer.Stop()
		select {
		case <-timer.C:
		case <-ctx.Done():
		case <-n.stopped:
		}
	case hold:
		select {
		case <-f.gate:
		case <-ctx.Done():
		case <-n.stopped:
		}
	}
	return f, ctx.Err()
}

// cut closes the connection of a call.
func (n *node) cut(ctx context.Context) error {
	if p, ok := peer.FromContext(ctx); ok {
		n.conns.cut(p.Addr.String())
	}
	return status.Error(codes.Unavailable, "cut") // which nobody hears
}
