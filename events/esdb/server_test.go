package esdb_test

import (
	"bytes"
	"log"
	"net"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	client "github.com/EventStore/EventStore-Client-Go/v4/esdb"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/deedrun/deed/events"
	"github.com/deedrun/deed/events/esdb"
	"github.com/deedrun/deed/internal/esdbtest"
)

func TestAURLIsReadWholeOrRefusedWithWhatIsWrong(t *testing.T) {
	for address, says := range map[string]string{
		"esdb://h?tls=false&colour=red":              `unknown setting "colour": known are defaultDeadline, discoveryInterval`,
		"esdb://h?tls=false&tls=true":                `setting "tls" is given 2 times`,
		"esdb://h?tls=perhaps":                       "'tls' must be either true or false",
		"esdb://h?TLS=perhaps":                       "'TLS' must be either true or false",
		"esdb://h?defaultDeadline=soon":              `defaultDeadline "soon": give milliseconds`,
		"esdb://h?gossipTimeout=x":                   "'gossipTimeout' must be an integer",
		"esdb://h?nodePreference=nearest":            "nearest",
		"esdb://h?keepAliveInterval=-5":              "keepAliveInterval",
		"esdb://h?maxAppendSize=17000000":            `maxAppendSize "17000000": give the server's limit`,
		"esdb://h?maxAppendSize=x":                   `maxAppendSize "x"`,
		"esdb://h?streamPrefix=Upper":                `streamPrefix "Upper": use 1 to 64`,
		"esdb://h?tlsCaFile=/nowhere/ca.pem":         "/nowhere/ca.pem",
		"esdb://h?userCertFile=/nowhere/a.pem":       "both userCertFile and userKeyFile",
		"esdb://h?userCertFile=/no/a&userKeyFile=/b": "userCertFile and userKeyFile: open /no/a",
		"esdb://h/path":                              "unsupported URL path",
		"esdb://":                                    "doesn't have an host",
		"esdb://:x@h":                                "empty username",
		"nats://h":                                   "expecting esdb:// or esdb+discover://",
		"esdb://h?%zz":                               "no list of settings",
		"esdb://u:secret@h:port":                     "it should look like esdb://user:password@host:2113",
		"esdb://u:secret@%zz":                        "the URL of EventStoreDB",
	} {
		_, err := esdb.Open(t.Context(), address, esdb.Options{})
		require.ErrorContains(t, err, says, address)
		assert.NotContains(t, err.Error(), "secret")
		assert.NotErrorIs(t, err, events.ErrUnavailable)
	}
}

func TestEverySettingOfAURLIsTaken(t *testing.T) {
	server := start(t, esdbtest.Options{})
	var printed bytes.Buffer // what the client has to say of settings
	log.SetOutput(&printed)
	defer log.SetOutput(os.Stderr)
	s := open(t, server.URL(), "defaultDeadline=5000", "discoveryInterval=10", "gossipTimeout=2", "keepAliveInterval=10000", "keepAliveTimeout=10000",
		"MAXDISCOVERATTEMPTS=3", "nodePreference=random", "tlsVerifyCert=false", "maxAppendSize=2000000", "streamPrefix=blue-")
	_, err := s.Append(soon(t), "a", events.NoStream(), "c1", note("x"))
	require.NoError(t, err)
	assert.Equal(t, []string{"a c1 1-1"}, take(t, subscribe(t, s, "", 0), 1))
	plain := open(t, server.URL())
	assert.Equal(t, []string{"blue-a"}, func() []string {
		c := take(t, subscribe(t, plain, "blue", 0), 1)[0]
		name, _, _ := strings.Cut(c, " ")
		return []string{name}
	}(), "the prefix is part of the name on the server")
	names, err := plain.Streams(soon(t), "")
	require.NoError(t, err)
	assert.Empty(t, names, "and who has another prefix has other streams")

	assert.Empty(t, printed.String())

	_, port, err := net.SplitHostPort(server.Address())
	require.NoError(t, err)
	discovered := open(t, "esdb+discover://127.0.0.1:"+port+"?tls=false", "streamPrefix=blue-")
	assert.Equal(t, []string{"a c1 1-1"}, stored(t, discovered, "a"))
}

func TestUsersAndTLS(t *testing.T) {
	server := start(t, esdbtest.Options{TLSDir: t.TempDir(), User: "ops", Password: "se cret"})
	s := open(t, server.URL())
	_, err := s.Append(soon(t), "a", events.NoStream(), "c1", note("x"))
	require.NoError(t, err)
	assert.Equal(t, []string{"a c1 1-1"}, take(t, subscribe(t, s, "", 0), 1))

	_, err = esdb.Open(soon(t), strings.Replace(server.URL(), "se%20cret", "guessed", 1), esdb.Options{})
	require.ErrorContains(t, err, "does not let ops in: check user and password in the URL")
	assert.NotErrorIs(t, err, events.ErrUnavailable)
	assert.NotContains(t, err.Error(), "guessed")

	_, err = esdb.Open(soon(t), "esdb://"+server.Address()+"?tls=false&maxDiscoverAttempts=1", esdb.Options{})
	require.ErrorIs(t, err, events.ErrUnavailable)
	assert.ErrorContains(t, err, "the tls setting of the URL")
	_, err = esdb.Open(soon(t), "esdb://"+server.Address()+"?maxDiscoverAttempts=1&"+url.Values{"tlsCaFile": {filepath.Join(t.TempDir(), "none")}}.Encode(), esdb.Options{})
	require.ErrorContains(t, err, "no such file")
}

func TestWhatAUserMayNotIsNoOutage(t *testing.T) {
	server := start(t, esdbtest.Options{})
	s := open(t, server.URL())
	_, err := s.Append(soon(t), "a", events.NoStream(), "c1", note("x"))
	require.NoError(t, err)
	server.Next(esdbtest.Append, esdbtest.Denied)
	_, err = s.Append(soon(t), "a", events.Exactly(1), "c2", note("x"))
	require.ErrorContains(t, err, "forbids this to nobody: use another user")
	assert.NotErrorIs(t, err, events.ErrUnavailable)
	server.Next(esdbtest.Subscribe, esdbtest.Denied)
	_, err = s.Subscribe(soon(t), "", 0)
	require.ErrorContains(t, err, "reading $all is for $admins")

	sub := subscribe(t, s, "", 0)
	take(t, sub, 1)
	server.Next(esdbtest.Subscribe, esdbtest.Denied)
	server.Cut()
	_, _, err = sub.Next(soon(t), true)
	require.ErrorContains(t, err, "forbids this", "a subscription does not wait for what does not change")
}

func TestAServerThatIsTooOldIsRefused(t *testing.T) {
	for version, old := range map[string]bool{"21.10.9": true, "22.10.0": true, "23.6.0": true, "23.10.0": false, "24.10.1": false} {
		server := start(t, esdbtest.Options{Version: version})
		d, err := esdb.Open(soon(t), server.URL(), esdb.Options{})
		if old {
			require.ErrorContains(t, err, "the server is too old: it has version "+version+"; use 23.10 or later")
			assert.NotErrorIs(t, err, events.ErrUnavailable)
			continue
		}
		require.NoError(t, err)
		require.NoError(t, d.Close())
	}
}

func TestADeletedStreamIsSaidToBeDeleted(t *testing.T) {
	server := start(t, esdbtest.Options{})
	s := open(t, server.URL())
	for _, stream := range []string{"soft", "hard", "kept"} {
		_, err := s.Append(soon(t), stream, events.NoStream(), "c1", notes(2)...)
		require.NoError(t, err)
	}
	raw := other(t, server.URL())
	_, err := raw.DeleteStream(soon(t), "soft", client.DeleteStreamOptions{})
	require.NoError(t, err)
	_, err = raw.TombstoneStream(soon(t), "hard", client.TombstoneStreamOptions{})
	require.NoError(t, err)

	for _, s := range []*events.Store{s, open(t, server.URL())} {
		_, err = s.Append(soon(t), "hard", events.Exactly(2), "c2", note("x"))
		require.ErrorContains(t, err, "the stream was deleted on EventStoreDB at "+server.Address())
		_, err = s.Version(soon(t), "hard")
		require.ErrorContains(t, err, "begin under another name")

		version, err := s.Version(soon(t), "soft")
		require.NoError(t, err)
		assert.Zero(t, version, "what is deleted softly is not there")
		_, err = s.Append(soon(t), "soft", events.NoStream(), "c2", note("x"))
		require.ErrorContains(t, err, "would go on behind what was deleted")
		assert.Empty(t, stored(t, s, "soft"))
	}
	names, err := open(t, server.URL()).Streams(soon(t), "")
	require.NoError(t, err)
	assert.Equal(t, []string{"kept"}, names)

	_, err = s.Append(soon(t), "kept", events.Exactly(2), "c2", note("x"))
	require.NoError(t, err)
	sub := subscribe(t, s, "", 0)
	assert.Equal(t, []string{"soft c1 1-2", "hard c1 1-2", "kept c1 1-2", "kept c2 3-3"}, take(t, sub, 4), "$all still has what nobody scavenged")
}

func TestAnEventReadsWellOnTheServer(t *testing.T) {
	server := start(t, esdbtest.Options{})
	s := open(t, server.URL())
	_, err := s.Append(soon(t), "process-1", events.NoStream(), "commit-1",
		events.Record{Type: "process-started", Schema: 2, Data: []byte(`{"by":"me"}`)}, events.Record{Type: "step-started", Schema: 1, Data: []byte(`{"step":"a"}`)})
	require.NoError(t, err)
	feed, err := other(t, server.URL()).ReadStream(soon(t), "process-1", client.ReadStreamOptions{}, 10)
	require.NoError(t, err)
	defer feed.Close()
	var ids []string
	for i, want := range []struct{ kind, data, meta string }{
		{"process-started", `{"by":"me"}`, `{"commit":"commit-1","first":0,"index":0,"count":2,"schema":2,"$correlationId":"process-1","$causationId":"commit-1"}`},
		{"step-started", `{"step":"a"}`, `{"commit":"commit-1","first":0,"index":1,"count":2,"schema":1,"$correlationId":"process-1","$causationId":"commit-1"}`},
	} {
		e, err := feed.Recv()
		require.NoError(t, err)
		assert.Equal(t, want.kind, e.Event.EventType)
		assert.Equal(t, "application/json", e.Event.ContentType)
		assert.Equal(t, want.data, string(e.Event.Data))
		assert.Equal(t, want.meta, string(e.Event.UserMetadata))
		assert.EqualValues(t, i, e.Event.EventNumber)
		ids = append(ids, e.Event.EventID.String())
	}
	var known []string
	for e, err := range s.Read(soon(t), "process-1", 0) {
		require.NoError(t, err)
		known = append(known, e.ID)
	}
	assert.Equal(t, known, ids)
}

func TestConnectingIsGivenUpWithTheContextOfTheCall(t *testing.T) {
	var config net.ListenConfig
	silent, err := config.Listen(t.Context(), "tcp", "127.0.0.1:0") // takes connections and never answers
	require.NoError(t, err)
	defer silent.Close()
	ctx, cancel := contextEndingAfter(t, 50*time.Millisecond)
	defer cancel()
	began := time.Now()
	_, err = esdb.Open(ctx, "esdb://"+silent.Addr().String()+"?tls=false&gossipTimeout=1&maxDiscoverAttempts=1", esdb.Options{})
	require.ErrorIs(t, err, ctx.Err())
	assert.Less(t, time.Since(began), 900*time.Millisecond, "the client itself would wait for its gossipTimeout")
}

func TestAStoreThatIsClosedUnderItsUsersEndsThem(t *testing.T) {
	server := start(t, esdbtest.Options{})
	d, err := esdb.Open(soon(t), server.URL(), esdb.Options{})
	require.NoError(t, err)
	s := events.New(d)
	began := make(chan struct{}, 8)
	var wg sync.WaitGroup
	for range 8 {
		wg.Go(func() {
			for i := 0; ; i++ {
				_, err := s.Append(soon(t), "a", events.Any(), "c", note("x"))
				if err != nil {
					assert.ErrorContains(t, err, "the store is closed")
					return
				}
				if i == 0 {
					began <- struct{}{}
				}
			}
		})
	}
	direct, err := d.Subscribe(soon(t), "", 0) // one that the store does not know of
	require.NoError(t, err)
	<-began
	require.NoError(t, s.Close())
	wg.Wait()
	for err == nil {
		_, _, err = direct.Next(soon(t), true)
	}
	require.ErrorIs(t, err, events.ErrStopped)
	_, err = d.Subscribe(soon(t), "", 0)
	require.ErrorContains(t, err, "the store is closed")
	require.NoError(t, d.Close())
}

func TestAServerThatCannotBeReachedIsSaidToBeSoInFewWords(t *testing.T) {
	server := start(t, esdbtest.Options{})
	url := server.URL()
	server.Stop()
	_, err := esdb.Open(soon(t), url, esdb.Options{})
	require.ErrorIs(t, err, events.ErrUnavailable)
	require.Regexp(t, `^open event store: event store unavailable: EventStoreDB at 127\.0\.0\.1:\d+: connect: dial tcp 127\.0\.0\.1:\d+: connect: connection refused: check that it runs`, err.Error())
}
