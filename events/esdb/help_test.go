package esdb_test

import (
	"context"
	"fmt"
	"testing"
	"time"

	"github.com/EventStore/EventStore-Client-Go/v4/esdb"
	"github.com/stretchr/testify/require"

	"github.com/deedrun/deed/events"
)

// patience bounds waiting for what comes soon when it comes at all.
const patience = 30 * time.Second

// soon is a context for a test that should not take long.
func soon(t testing.TB) context.Context {
	t.Helper()
	ctx, cancel := context.WithTimeout(context.WithoutCancel(t.Context()), patience)
	t.Cleanup(cancel)
	return ctx
}

func note(text string) events.Record {
	return events.Record{Type: "Noted", Schema: 1, Data: fmt.Appendf(nil, "%q", text)}
}

func notes(count int) []events.Record {
	var list []events.Record
	for i := range count {
		list = append(list, note(fmt.Sprint(i)))
	}
	return list
}

// stored lists the commits of a stream.
func stored(t testing.TB, s *events.Store, stream string) []string {
	t.Helper()
	var list []string
	for c, err := range s.ReadCommits(soon(t), stream, 0) {
		require.NoError(t, err)
		list = append(list, label(c))
	}
	return list
}

// label is a commit, and the versions it has.
func label(c events.Commit) string {
	return fmt.Sprintf("%s %s %d-%d", c.Stream, c.ID, c.First+1, c.Version())
}

// take waits for the next commits of a subscription.
func take(t testing.TB, sub events.Subscription, count int) []string {
	t.Helper()
	ctx := soon(t)
	var list []string
	for range count {
		c, _, err := sub.Next(ctx, true)
		require.NoError(t, err)
		list = append(list, label(c))
	}
	return list
}

func subscribe(t testing.TB, s *events.Store, prefix string, after events.Checkpoint) events.Subscription {
	t.Helper()
	sub, err := s.Subscribe(context.WithoutCancel(t.Context()), prefix, after)
	require.NoError(t, err)
	t.Cleanup(sub.Stop)
	return sub
}

// other is a client of somebody who does not know this package.
func other(t testing.TB, address string) *esdb.Client {
	t.Helper()
	conf, err := esdb.ParseConnectionString(address)
	require.NoError(t, err)
	conf.Logger = esdb.NoopLogging()
	client, err := esdb.NewClient(conf)
	require.NoError(t, err)
	t.Cleanup(func() { _ = client.Close() })
	return client
}

// put writes events past this package.
func put(t testing.TB, client *esdb.Client, stream string, list ...esdb.EventData) {
	t.Helper()
	_, err := client.AppendToStream(soon(t), stream, esdb.AppendToStreamOptions{}, list...)
	require.NoError(t, err)
}

func contextEndingAfter(t testing.TB, d time.Duration) (context.Context, context.CancelFunc) {
	t.Helper()
	return context.WithTimeout(soon(t), d)
}
