package storetest

import (
	"fmt"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/deedrun/deed/events"
)

// open is one more store over the backend. It is closed at the end.
func (t *trial) open() *events.Store {
	s := t.backend()
	t.Cleanup(func() { assert.NoError(t, s.Close()) })
	return s
}

// put appends and requires success.
func (t *trial) put(s *events.Store, stream string, expected events.Expected, id string, records ...events.Record) uint64 {
	t.Helper()
	version, err := s.Append(t.ctx, stream, expected, id, records...)
	require.NoError(t, err)
	return version
}

// follow appends to a stream of which all was appended by follow, as a commit
// whose ID no other has: it names the stream and the version.
func (t *trial) follow(s *events.Store, stream string, records ...events.Record) {
	t.Helper()
	version := t.versions[stream]
	t.versions[stream] += uint64(len(records))
	t.put(s, stream, events.Exactly(version), fmt.Sprintf("%s@%d", stream, version), records...)
}

// refused requires that an append is a conflict.
func (t *trial) refused(s *events.Store, stream string, expected events.Expected, id string, records ...events.Record) *events.ConflictError {
	t.Helper()
	_, err := s.Append(t.ctx, stream, expected, id, records...)
	var c *events.ConflictError
	require.ErrorAs(t, err, &c)
	return c
}

func (t *trial) version(s *events.Store, stream string) uint64 {
	t.Helper()
	version, err := s.Version(t.ctx, stream)
	require.NoError(t, err)
	return version
}

func (t *trial) last(s *events.Store, stream string) events.Commit {
	t.Helper()
	c, ok, err := s.Last(t.ctx, stream)
	require.NoError(t, err)
	require.True(t, ok, "stream %q has a last commit", stream)
	return c
}

// read collects what Read yields.
func (t *trial) read(s *events.Store, stream string, after uint64) []events.Event {
	t.Helper()
	var all []events.Event
	for e, err := range s.Read(t.ctx, stream, after) {
		require.NoError(t, err)
		all = append(all, e)
	}
	return all
}

func (t *trial) commits(s *events.Store, stream string, after uint64) []events.Commit {
	t.Helper()
	var all []events.Commit
	for c, err := range s.ReadCommits(t.ctx, stream, after) {
		require.NoError(t, err)
		all = append(all, c)
	}
	return all
}

func (t *trial) streams(s *events.Store, prefix string) []string {
	t.Helper()
	names, err := s.Streams(t.ctx, prefix)
	require.NoError(t, err)
	return names
}

// subscribe is a subscription that ends with the trial.
func (t *trial) subscribe(s *events.Store, prefix string, after events.Checkpoint) events.Subscription {
	t.Helper()
	sub, err := s.Subscribe(t.ctx, prefix, after)
	require.NoError(t, err)
	t.Cleanup(sub.Stop)
	return sub
}

// take waits for count commits.
func (t *trial) take(sub events.Subscription, count int) []events.Commit {
	t.Helper()
	var list []events.Commit
	for range count {
		c, ready, err := sub.Next(t.ctx, true)
		require.NoError(t, err)
		require.True(t, ready)
		list = append(list, c)
	}
	return list
}

// nothing requires that the subscription has no more to give.
func (t *trial) nothing(sub events.Subscription) {
	t.Helper()
	c, ready, err := sub.Next(t.ctx, false)
	require.NoError(t, err)
	assert.False(t, ready, "one commit too many: %v", c)
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

// numbers is the data of events numbered from first to last.
func numbers(first, last int) []string {
	var out []string
	for n := first; n <= last; n++ {
		out = append(out, fmt.Sprintf(`{"n":%d}`, n))
	}
	return out
}

// data lists the data of events.
func data(list []events.Event) []string {
	var out []string
	for _, e := range list {
		out = append(out, string(e.Data))
	}
	return out
}

// labels says which commits these are.
func labels(list []events.Commit) []string {
	var out []string
	for _, c := range list {
		out = append(out, c.Stream+" "+c.ID)
	}
	return out
}
