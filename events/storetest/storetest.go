// Package storetest holds what every backend of the event store promises, as
// tests: a backend's own tests call [Run] and, for figures, [Bench].
package storetest

import (
	"context"
	"fmt"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/deedrun/deed/events"
)

// Backend makes a fresh, empty backend and returns what opens a store over it,
// as often as a test wants: each of them as if in a process of its own.
type Backend func(t testing.TB) (open func() *events.Store)

// Run tests a backend.
func Run(t *testing.T, backend Backend) {
	for _, group := range []struct {
		name string
		run  func(t *testing.T, backend Backend)
	}{
		{"append", testAppend},
		{"retry", testRetry},
		{"race", testRace},
		{"refused", testRefused},
		{"replace", testReplace},
		{"read", testRead},
		{"streams", testStreams},
		{"subscription", testSubscription},
		{"subscriptions end", testSubscriptionEnd},
	} {
		t.Run(group.name, func(t *testing.T) { group.run(t, backend) })
	}
}

// patience bounds waiting for what comes at once when it comes at all.
const patience = time.Minute

// store is one fresh store with a context that ends with the test.
func store(t testing.TB, backend Backend) (context.Context, *events.Store) {
	t.Helper()
	ctx, open := several(t, backend)
	return ctx, open()
}

// several is a context that ends with the test, and what opens stores over one
// fresh backend; they are closed at the end.
func several(t testing.TB, backend Backend) (context.Context, func() *events.Store) {
	t.Helper()
	ctx, cancel := context.WithTimeout(context.WithoutCancel(t.Context()), patience)
	t.Cleanup(cancel)
	open := backend(t)
	return ctx, func() *events.Store {
		s := open()
		t.Cleanup(func() { require.NoError(t, s.Close()) })
		return s
	}
}

// record is an event whose data is a JSON string.
func record(text string) events.Record {
	return events.Record{Type: "Noted", Schema: 1, Data: fmt.Appendf(nil, "%q", text)}
}

// numbered are count events, told apart by their data.
func numbered(first, count int) []events.Record {
	var out []events.Record
	for i := range count {
		out = append(out, events.Record{Type: "Counted", Schema: 2, Data: fmt.Appendf(nil, `{"n":%d}`, first+i)})
	}
	return out
}

// must appends and requires success.
func must(t testing.TB, ctx context.Context, s *events.Store, stream string, expected events.Expected, id string, records ...events.Record) uint64 {
	t.Helper()
	version, err := s.Append(ctx, stream, expected, id, records...)
	require.NoError(t, err)
	return version
}

// read collects what Read yields.
func read(t testing.TB, ctx context.Context, s *events.Store, stream string, after uint64) []events.Event {
	t.Helper()
	var all []events.Event
	for e, err := range s.Read(ctx, stream, after) {
		require.NoError(t, err)
		all = append(all, e)
	}
	return all
}

// data lists the data of events.
func data(list []events.Event) []string {
	var out []string
	for _, e := range list {
		out = append(out, string(e.Data))
	}
	return out
}

// conflict requires that err is one.
func conflict(t testing.TB, err error) *events.ConflictError {
	t.Helper()
	var c *events.ConflictError
	require.ErrorAs(t, err, &c)
	return c
}
