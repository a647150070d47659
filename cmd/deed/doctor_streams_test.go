package main

import (
	"strings"
	"testing"
	"time"

	"github.com/nats-io/nats-server/v2/server"
	"github.com/nats-io/nats.go/jetstream"
	"github.com/stretchr/testify/require"

	"github.com/deedrun/deed"
	"github.com/deedrun/deed/internal/natscluster"
)

func TestTheDoctorFindsAStreamThatAnOperatorChangedAndSetsItRight(t *testing.T) {
	t.Parallel()
	c := newClinic(t)
	s := c.natsServer(&server.Options{})
	r, err := deed.Open(t.Context(), s.options(s.ClientURL())) // it goes on meanwhile
	require.NoError(t, err)
	defer r.Close()
	for _, wrong := range []struct {
		check, stream, words string
		change               func(*jetstream.StreamConfig)
	}{
		{"events-stream", "DEED_EVENTS", "max age 24h0m0s: what is older vanishes", func(o *jetstream.StreamConfig) { o.MaxAge = 24 * time.Hour }},
		{"events-stream", "DEED_EVENTS", "max bytes 1048576: what comes beyond it is dropped, oldest first; discard DiscardOld, not DiscardNew", func(o *jetstream.StreamConfig) {
			o.MaxBytes, o.Discard = 1<<20, jetstream.DiscardOld
		}},
		{"work-stream", "deed-work", "max messages 1000", func(o *jetstream.StreamConfig) { o.MaxMsgs = 1000 }},
		{"inbox-stream", "deed-inbox", "discard DiscardNew", func(o *jetstream.StreamConfig) { o.Discard = jetstream.DiscardNew }},
		{"quarantine-stream", "deed-quarantine", "max age 1h0m0s", func(o *jetstream.StreamConfig) { o.MaxAge = time.Hour }},
	} {
		s.changed(c, wrong.stream, wrong.change)
		_, err := deed.Open(t.Context(), s.options(s.ClientURL()))
		require.ErrorContains(t, err, "exists with other settings", "nor does deed start with it")
		f := c.wrong(s.where, wrong.check, "fail", wrong.words)
		c.does(c.advised(f))
		c.well(s.where, wrong.check)
	}
	s.served(c)
}

func TestTheDoctorFindsAQueueThatSomebodyElseMadeAndMakesItAnew(t *testing.T) {
	t.Parallel()
	c := newClinic(t)
	s := c.natsServer(&server.Options{})
	s.served(c)
	require.NoError(t, s.js.DeleteStream(t.Context(), "deed-work"))
	_, err := s.js.CreateStream(t.Context(), jetstream.StreamConfig{Name: "deed-work", Subjects: []string{"deed.queue.work.>"}, PersistMode: jetstream.AsyncPersistMode})
	require.NoError(t, err)

	f := c.wrong(s.where, "work-stream", "fail", "what has been done is never removed")
	require.Contains(t, f.Fix, "stop those who orchestrate")
	c.does(c.advised(f))
	c.well(s.where, "work-stream")
	s.served(c)
}

func TestTheDoctorFindsEventsThatAreAcknowledgedBeforeTheyAreWrittenAndMakesTheirStreamAnewWhileItIsEmpty(t *testing.T) {
	t.Parallel()
	c := newClinic(t)
	s := c.natsServer(&server.Options{})
	s.served(c)
	async := func() {
		stream, err := s.js.Stream(t.Context(), "DEED_EVENTS")
		require.NoError(t, err)
		config := stream.CachedInfo().Config
		config.PersistMode = jetstream.AsyncPersistMode
		require.NoError(t, s.js.DeleteStream(t.Context(), config.Name))
		_, err = s.js.CreateStream(t.Context(), config)
		require.NoError(t, err)
	}
	async()
	f := c.wrong(s.where, "events-stream", "fail", "a power cut takes the end of it")
	c.does(c.advised(f))
	c.well(s.where, "events-stream")

	async()
	_, err := s.js.Publish(t.Context(), "deed.events.process-p", []byte("precious"))
	require.NoError(t, err)
	f = c.wrong(s.where, "events-stream", "fail", "a power cut takes the end of it")
	require.Contains(t, f.Fix, "restore it")
	out, err := c.shell("deed doctor --mend events-stream " + s.where).CombinedOutput()
	require.Error(t, err)
	require.Contains(t, string(out), "holds what cannot be made again")
	stream, err := s.js.Stream(t.Context(), "DEED_EVENTS")
	require.NoError(t, err)
	require.EqualValues(t, 1, stream.CachedInfo().State.Msgs)
}

func TestTheDoctorMakesNoStreamAnewWhileSomebodyServes(t *testing.T) {
	t.Parallel()
	c := newClinic(t)
	s := c.natsServer(&server.Options{})
	r, err := deed.Open(t.Context(), s.options(s.ClientURL()))
	require.NoError(t, err)
	defer r.Close()
	c.well(s.where, "orchestrators")
	require.NoError(t, s.js.DeleteStream(t.Context(), "deed-quarantine"))
	_, err = s.js.CreateStream(t.Context(), jetstream.StreamConfig{Name: "deed-quarantine", Subjects: []string{"deed.queue.quarantine.>"}, Storage: jetstream.MemoryStorage})
	require.NoError(t, err)
	out, err := c.shell("deed doctor --mend quarantine-stream " + s.where).CombinedOutput()
	require.Error(t, err)
	require.Contains(t, string(out), "somebody orchestrates")
}

func TestTheDoctorFindsStreamsThatAreKeptOnOneServerOfACluster(t *testing.T) {
	if testing.Short() {
		t.Skip("elections take seconds")
	}
	t.Parallel()
	c := newClinic(t)
	servers, urls := natscluster.Start(t)
	address := strings.Join(urls, ",")
	s := c.at(servers[0].Server, address)
	o := s.options(address)
	o.Replicas = 1
	require.Eventually(t, func() bool {
		r, err := deed.Open(t.Context(), o)
		if err == nil {
			r.Close()
		}
		return err == nil
	}, 40*time.Second, 200*time.Millisecond)

	streams := []string{"events-stream", "work-stream", "inbox-stream", "quarantine-stream"}
	found := c.examines(s.where)
	for _, check := range streams {
		f := c.among(found, check, "fail", "it is on 1 of the 3 servers that there are")
		c.does(c.advised(f))
	}
	c.well(s.where, streams...)
	stream, err := s.js.Stream(t.Context(), "DEED_EVENTS")
	require.NoError(t, err)
	require.Equal(t, 3, stream.CachedInfo().Config.Replicas)
	r, err := deed.Open(t.Context(), s.options(address))
	require.NoError(t, err)
	r.Close()
}

func TestTheDoctorFindsANATSServerThatTakesOnlySmallMessages(t *testing.T) {
	t.Parallel()
	c := newClinic(t)
	o := &server.Options{MaxPayload: 64 << 10}
	s := c.natsServer(o)
	f := c.wrong(s.where, "max-payload", "fail", "a message has at most 64.0 KiB")
	require.Contains(t, f.Fix, "max_payload: 8MB")
	again := *o
	again.MaxPayload = 8 << 20
	require.NoError(t, s.ReloadOptions(&again))
	c.well(s.where, "max-payload")
}

func TestTheDoctorFindsAnAccountThatMayStoreTooLittle(t *testing.T) {
	t.Parallel()
	c := newClinic(t)
	s := c.natsServer(&server.Options{})
	limits := func(most int64) {
		require.NoError(t, s.GlobalAccount().UpdateJetStreamLimits(map[string]server.JetStreamAccountLimits{
			"": {MaxMemory: -1, MaxStore: most, MaxStreams: -1, MaxConsumers: -1, MaxAckPending: -1},
		}))
	}
	limits(16 << 20)
	f := c.wrong(s.where, "jetstream", "fail", "0 B of the 16.0 MiB that this account may have on disk are taken")
	require.Contains(t, f.Fix, "raise max_file of the account's jetstream (or max_file_store of the server) to 10.0 GiB or more")
	limits(10 << 30)
	c.well(s.where, "jetstream")
}

func TestTheDoctorSaysThatJetStreamIsOff(t *testing.T) {
	t.Parallel()
	c := newClinic(t)
	s := c.natsServer(&server.Options{ServerName: "without"})
	f := c.wrong(s.where, "jetstream", "fail", "it is off")
	require.Contains(t, f.Fix, "jetstream { store_dir:")
	require.NoError(t, s.EnableJetStream(&server.JetStreamConfig{StoreDir: t.TempDir()}))
	c.well(s.where, "jetstream")
}

func TestEventsThatAreMissingAreALossOnlyWhereThereWereAny(t *testing.T) {
	t.Parallel()
	c := newClinic(t)
	s := c.natsServer(&server.Options{})
	s.served(c)
	require.NoError(t, s.js.DeleteStream(t.Context(), "DEED_EVENTS"))
	f := c.wrong(s.where, "events-stream", "warn", "stream DEED_EVENTS is missing")
	require.Contains(t, f.Fix, "it is made by whoever orchestrates next", "the first start was cut short")
	s.served(c)
	_, err := s.js.Publish(t.Context(), "deed.queue.inbox.00.p", []byte("a command"))
	require.NoError(t, err)
	require.NoError(t, s.js.DeleteStream(t.Context(), "DEED_EVENTS"))
	f = c.wrong(s.where, "events-stream", "fail", "the queues are there, and the events are not")
	require.Contains(t, f.Fix, "restore it from a copy")
}
