package nats_test

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/nats-io/nats.go"
	"github.com/nats-io/nats.go/jetstream"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/deedrun/deed/events"
	eventsnats "github.com/deedrun/deed/events/nats"
	"github.com/deedrun/deed/events/storetest"
	"github.com/deedrun/deed/internal/natsconn"
)

func TestLog(t *testing.T) {
	t.Run("a server started again on the same directory has every event, stream and checkpoint", func(t *testing.T) {
		dir := t.TempDir()
		server := start(t, natsconn.ServerOptions{Dir: dir})
		s := open(t, server, eventsnats.Options{})
		for i := range uint64(20) {
			_, err := s.Append(t.Context(), fmt.Sprintf("p%d", i%2), events.Exactly(i/2), fmt.Sprint(i), note(fmt.Sprint(i)))
			require.NoError(t, err)
		}
		before := all(t, s, 20)
		require.NoError(t, s.Close())
		server.Close()

		s = open(t, start(t, natsconn.ServerOptions{Dir: dir}), eventsnats.Options{})
		assert.Equal(t, before, all(t, s, 20))
		names, err := s.Streams(t.Context(), "")
		require.NoError(t, err)
		assert.Equal(t, []string{"p0", "p1"}, names)
		_, err = s.Append(t.Context(), "p0", events.Exactly(9), "late", note("late"))
		var conflict *events.ConflictError
		require.ErrorAs(t, err, &conflict)
		assert.EqualValues(t, 10, conflict.Actual)
		version, err := s.Append(t.Context(), "p0", events.Exactly(10), "next", note("next"))
		require.NoError(t, err)
		assert.EqualValues(t, 11, version)
		require.NoError(t, s.Close())
	})

	t.Run("it is on file, persisted before it is acknowledged, and no message of it can be deleted by itself", func(t *testing.T) {
		server := start(t, natsconn.ServerOptions{})
		s := open(t, server, eventsnats.Options{})
		_, err := s.Append(t.Context(), "a", events.NoStream(), "c1", note("x"))
		require.NoError(t, err)
		js, err := jetstream.New(connect(t, server))
		require.NoError(t, err)
		log, err := js.Stream(t.Context(), "DEED_EVENTS")
		require.NoError(t, err)
		config := log.CachedInfo().Config
		assert.Equal(t, []string{"deed.events.*"}, config.Subjects)
		assert.Equal(t, jetstream.FileStorage, config.Storage)
		assert.Equal(t, jetstream.LimitsPolicy, config.Retention)
		assert.Equal(t, jetstream.DefaultPersistMode, config.PersistMode)
		assert.Zero(t, config.MaxAge)
		assert.Error(t, log.DeleteMsg(t.Context(), 1))
		_, err = js.UpdateStream(t.Context(), jetstream.StreamConfig{Name: "DEED_EVENTS", Subjects: config.Subjects})
		assert.Error(t, err, "the protection cannot be taken away")
		version, err := s.Version(t.Context(), "a")
		require.NoError(t, err)
		assert.EqualValues(t, 1, version)
	})

	t.Run("a log with other settings is refused", func(t *testing.T) {
		nc := connect(t, start(t, natsconn.ServerOptions{InProcessOnly: true}))
		js, err := jetstream.New(nc)
		require.NoError(t, err)
		_, err = js.CreateStream(t.Context(), jetstream.StreamConfig{Name: "DEED_EVENTS", Subjects: []string{"deed.events.*"}, Storage: jetstream.MemoryStorage})
		require.NoError(t, err)
		_, err = eventsnats.Open(t.Context(), nc, eventsnats.Options{})
		assert.ErrorContains(t, err, `open event store: stream "DEED_EVENTS"`)
		assert.ErrorContains(t, err, "storage is Memory, wanted File")
	})

	t.Run("a log with the server's own window for duplicates is used as it is", func(t *testing.T) {
		nc := connect(t, start(t, natsconn.ServerOptions{InProcessOnly: true}))
		js, err := jetstream.New(nc)
		require.NoError(t, err)
		earlier := eventsnats.Config(eventsnats.Options{Stream: "DEED_EVENTS", Subject: "deed.events"})
		assert.Equal(t, 100*time.Millisecond, earlier.Duplicates)
		earlier.Duplicates = 2 * time.Minute
		_, err = js.CreateStream(t.Context(), earlier)
		require.NoError(t, err)
		_, err = eventsnats.Open(t.Context(), nc, eventsnats.Options{})
		assert.NoError(t, err)
	})

	t.Run("a log that was made to keep everything is used as it is, and says so when something is to be forgotten", func(t *testing.T) {
		nc := connect(t, start(t, natsconn.ServerOptions{InProcessOnly: true}))
		js, err := jetstream.New(nc)
		require.NoError(t, err)
		keeping := eventsnats.Config(eventsnats.Options{Stream: "DEED_EVENTS", Subject: "deed.events"})
		keeping.DenyPurge = true
		_, err = js.CreateStream(t.Context(), keeping)
		require.NoError(t, err)
		driver, err := eventsnats.Open(t.Context(), nc, eventsnats.Options{})
		require.NoError(t, err)
		s := events.New(driver)
		_, err = s.Append(t.Context(), "a", events.NoStream(), "c1", note("x"))
		require.NoError(t, err)
		_, err = s.Replace(t.Context(), "a", events.Exactly(1), "c2", note("moved"))
		assert.ErrorContains(t, err, "was made to keep everything (deny_purge): nothing is lost, and nothing is freed")
		version, err := s.Version(t.Context(), "a")
		require.NoError(t, err)
		assert.EqualValues(t, 2, version)
	})

	t.Run("a subject that is none is refused", func(t *testing.T) {
		nc := connect(t, start(t, natsconn.ServerOptions{InProcessOnly: true}))
		for _, subject := range []string{"a.*", "a..b", ".a", "a.", "a b", ">"} {
			_, err := eventsnats.Open(t.Context(), nc, eventsnats.Options{Subject: subject})
			assert.ErrorContains(t, err, "without wildcards or spaces", subject)
		}
	})

	t.Run("a commit beyond the server's limit is refused before it is sent, and one just below it is stored", func(t *testing.T) {
		server := start(t, natsconn.ServerOptions{InProcessOnly: true, MaxPayload: 64 << 10})
		s := open(t, server, eventsnats.Options{})
		_, err := s.Append(t.Context(), "a", events.NoStream(), "c1", note(strings.Repeat("x", 64<<10)))
		require.ErrorIs(t, err, events.ErrTooLarge)
		assert.ErrorContains(t, err, "max_payload")
		_, err = s.Append(t.Context(), strings.Repeat("a", 128), events.NoStream(), strings.Repeat("c", 256), note(strings.Repeat("x", 64<<10-900)))
		assert.NoError(t, err)
	})
}

// all is what a new subscription gives, count commits of it.
func all(t *testing.T, s *events.Store, count int) []events.Commit {
	t.Helper()
	sub, err := s.Subscribe(t.Context(), "", 0)
	require.NoError(t, err)
	defer sub.Stop()
	var list []events.Commit
	for range count {
		c, _, err := sub.Next(t.Context(), true)
		require.NoError(t, err)
		list = append(list, c)
	}
	return list
}

func TestReplicatedReads(t *testing.T) {
	server := start(t, natsconn.ServerOptions{InProcessOnly: true, NoSync: true})
	count := 0
	storetest.Run(t, func(testing.TB) func() *events.Store {
		count++
		o := eventsnats.Options{Stream: fmt.Sprintf("LEADER_%d", count), Subject: fmt.Sprintf("test.leader%d", count)}
		return func() *events.Store {
			d, err := eventsnats.Open(t.Context(), connect(t, server), o)
			require.NoError(t, err)
			eventsnats.AskLeader(d)
			return events.New(d)
		}
	})
}

func TestOutage(t *testing.T) {
	t.Run("while the server is away appends are unavailable; afterwards a repeat succeeds and subscriptions go on", func(t *testing.T) {
		dir := t.TempDir()
		server := start(t, natsconn.ServerOptions{Dir: dir})
		nc, err := natsconn.Connect(t.Context(), server.URL(), server.Token(), natsconn.ConnOptions{})
		require.NoError(t, err)
		defer nc.Close()
		d, err := eventsnats.Open(t.Context(), nc, eventsnats.Options{})
		require.NoError(t, err)
		s := events.New(d)
		defer func() { require.NoError(t, s.Close()) }()
		sub, err := s.Subscribe(t.Context(), "", 0)
		require.NoError(t, err)
		_, err = s.Append(t.Context(), "a", events.NoStream(), "c1", note("x"))
		require.NoError(t, err)
		c, _, err := sub.Next(t.Context(), true)
		require.NoError(t, err)
		require.Equal(t, "c1", c.ID)

		lost, back := nc.StatusChanged(nats.RECONNECTING), nc.StatusChanged(nats.CONNECTED)
		listen, token := strings.TrimPrefix(server.URL(), "nats://"), server.Token()
		server.Close()
		<-lost
		_, err = s.Append(t.Context(), "a", events.Exactly(1), "c2", note("y"))
		require.ErrorIs(t, err, events.ErrUnavailable)
		_, err = s.Version(t.Context(), "a")
		require.ErrorIs(t, err, events.ErrUnavailable)
		for _, err := range s.Read(t.Context(), "a", 0) {
			require.ErrorIs(t, err, events.ErrUnavailable)
		}
		_, err = s.Subscribe(t.Context(), "", 0)
		require.ErrorIs(t, err, events.ErrUnavailable)

		start(t, natsconn.ServerOptions{Dir: dir, Listen: listen, Token: token})
		<-back
		for { // JetStream answers a moment after the connection
			version, err := s.Append(t.Context(), "a", events.Exactly(1), "c2", note("y"))
			if errors.Is(err, events.ErrUnavailable) {
				continue
			}
			require.NoError(t, err)
			assert.EqualValues(t, 2, version)
			break
		}
		c, _, err = sub.Next(t.Context(), true)
		require.NoError(t, err)
		assert.Equal(t, "c2", c.ID)
	})

	t.Run("a closed connection is unavailable, and its subscriptions still end", func(t *testing.T) {
		nc := connect(t, start(t, natsconn.ServerOptions{InProcessOnly: true, NoSync: true}))
		d, err := eventsnats.Open(t.Context(), nc, eventsnats.Options{})
		require.NoError(t, err)
		s := events.New(d)
		sub, err := s.Subscribe(t.Context(), "", 0)
		require.NoError(t, err)
		nc.Close()
		_, err = s.Append(t.Context(), "a", events.NoStream(), "c1", note("x"))
		require.ErrorIs(t, err, events.ErrUnavailable)
		ctx, cancel := context.WithCancel(t.Context())
		cancel()
		_, _, err = sub.Next(ctx, true)
		require.ErrorIs(t, err, context.Canceled)
		require.NoError(t, s.Close())
		_, _, err = sub.Next(t.Context(), true)
		require.ErrorIs(t, err, events.ErrStopped)
	})
}

func TestForeignMessages(t *testing.T) {
	for name, body := range map[string]string{
		"nothing":                  ``,
		"no JSON":                  `hello`,
		"another document":         `{"a":1}`,
		"a list":                   `[1]`,
		"no events":                `{"id":"c","first":0,"events":[]}`,
		"no ID":                    `{"first":0,"events":[{"type":"T","data":1}]}`,
		"an event without a type":  `{"id":"c","first":0,"events":[{"data":1}]}`,
		"an event without data":    `{"id":"c","first":0,"events":[{"type":"T"}]}`,
		"a version that overflows": `{"id":"c","first":18446744073709551615,"events":[{"type":"T","data":1}]}`,
		"a negative version":       `{"id":"c","first":-1,"events":[{"type":"T","data":1}]}`,
		"half an envelope":         `{"id":"c","first":0,"events":[{"type":"T","da`,
	} {
		t.Run("in a stream, "+name+": reads, appends and subscriptions name the stream and the message", func(t *testing.T) {
			server := start(t, natsconn.ServerOptions{InProcessOnly: true, NoSync: true})
			s := open(t, server, eventsnats.Options{})
			_, err := s.Append(t.Context(), "good", events.NoStream(), "c1", note("x"))
			require.NoError(t, err)
			js, err := jetstream.New(connect(t, server))
			require.NoError(t, err)
			_, err = js.Publish(t.Context(), "deed.events.bad", []byte(body))
			require.NoError(t, err)

			where := `stream "bad": message 2 of "DEED_EVENTS"`
			for _, err := range s.Read(t.Context(), "bad", 0) {
				require.ErrorContains(t, err, where)
			}
			_, err = s.Version(t.Context(), "bad")
			require.ErrorContains(t, err, where)
			_, err = s.Append(t.Context(), "bad", events.NoStream(), "c1", note("x"))
			require.ErrorContains(t, err, where)
			sub, err := s.Subscribe(t.Context(), "", 0)
			require.NoError(t, err)
			_, _, err = sub.Next(t.Context(), true)
			require.NoError(t, err)
			for range 2 {
				_, _, err = sub.Next(t.Context(), true)
				require.ErrorContains(t, err, where)
			}
			sub, err = s.Subscribe(t.Context(), "good", 0) // which it does not concern
			require.NoError(t, err)
			_, _, err = sub.Next(t.Context(), true)
			require.NoError(t, err)
			require.NoError(t, s.Close())
		})
	}

	t.Run("on a subject that is no stream's: subscriptions to all say so, others do not care", func(t *testing.T) {
		server := start(t, natsconn.ServerOptions{InProcessOnly: true, NoSync: true})
		s := open(t, server, eventsnats.Options{})
		js, err := jetstream.New(connect(t, server))
		require.NoError(t, err)
		_, err = js.Publish(t.Context(), "deed.events.Not=A=Stream", []byte(`{}`))
		require.NoError(t, err)
		sub, err := s.Subscribe(t.Context(), "", 0)
		require.NoError(t, err)
		_, _, err = sub.Next(t.Context(), true)
		assert.ErrorContains(t, err, `message 1 of "DEED_EVENTS" is on subject "deed.events.Not=A=Stream"`)
		_, err = s.Append(t.Context(), "good", events.NoStream(), "c1", note("x"))
		require.NoError(t, err)
		sub, err = s.Subscribe(t.Context(), "go", 0) // which it does not concern
		require.NoError(t, err)
		_, _, err = sub.Next(t.Context(), true)
		require.NoError(t, err)
		require.NoError(t, s.Close())
	})
}
