package natsaccounts_test

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/nats-io/nats.go"
	"github.com/nats-io/nats.go/jetstream"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/deedrun/deed/internal/natsconn"
	"github.com/deedrun/deed/queue"
	natsqueue "github.com/deedrun/deed/queue/nats"
)

func TestAWorkerTakesTasksOfItsPoolAndReportsWithItsKey(t *testing.T) {
	t.Parallel()
	l := lock(t, "")
	l.orchestrate()
	for _, pool := range []string{"", "gpu"} {
		nc := l.as(map[string]string{"": "worker", "gpu": "worker-gpu"}[pool])
		lane, err := natsqueue.OpenTaker(t.Context(), nc, natsqueue.Options{Name: "work"}, pool)
		require.NoError(t, err)
		require.Equal(t, l.work.Lease(), lane.Lease())
		_, err = l.work.Lane(t.Context(), pool)
		require.NoError(t, err)
		for i := range 3 {
			require.NoError(t, l.work.Send(t.Context(), queue.Message{Lane: pool, Key: "p", Body: fmt.Append(nil, i)}))
		}
		inbox, err := natsqueue.OpenShardedOutlet(nc, natsqueue.Options{Name: "inbox"})
		require.NoError(t, err)
		for taken := 0; taken < 3; {
			got, err := lane.Receive(t.Context(), 10, 10*time.Second)
			require.NoError(t, err)
			require.NotEmpty(t, got)
			for _, d := range got {
				require.Equal(t, queue.Message{Lane: pool, Key: "p", Body: fmt.Append(nil, taken)}, d.Message)
				taken++
			}
			require.NoError(t, lane.Extend(t.Context(), got...))
			require.NoError(t, inbox.Send(t.Context(), queue.Message{Lane: queue.Reports, Key: "p", Body: []byte("done")}))
			require.NoError(t, lane.Ack(t.Context(), got...))
		}
		require.Eventually(t, func() bool {
			left, err := l.work.Pending(t.Context(), "p")
			return err == nil && left == 0
		}, 10*time.Second, 10*time.Millisecond)
	}
	for range 2 {
		got, err := l.inbox.Receive(t.Context(), 1, 10*time.Second)
		require.NoError(t, err)
		require.Len(t, got, 1)
		require.Equal(t, queue.Reports, got[0].Lane)
	}
	bad, err := natsqueue.OpenOutlet(l.as("worker"), natsqueue.Options{Name: "quarantine"})
	require.NoError(t, err)
	require.NoError(t, bad.Send(t.Context(), queue.Message{Key: queue.Undecodable, Body: []byte("?")}))
}

func TestAWorkerOfAPoolThatNobodyUsedYetGetsItsFirstTaskSoon(t *testing.T) {
	t.Parallel()
	l := lock(t, "")
	l.orchestrate()
	lane, err := natsqueue.OpenTaker(t.Context(), l.as("worker-gpu"), natsqueue.Options{Name: "work"}, "gpu")
	require.NoError(t, err)
	got, err := lane.Receive(t.Context(), 1, 100*time.Millisecond)
	require.NoError(t, err)
	require.Empty(t, got)
	waits := make(chan time.Time, 1)
	var sent time.Time
	go func() {
		waits <- time.Now()
		if l.work.Send(t.Context(), queue.Message{Lane: "gpu", Key: "p"}) == nil {
			sent = time.Now()
		}
		close(waits)
	}()
	<-waits
	got, err = lane.Receive(t.Context(), 1, 20*time.Second)
	<-waits
	require.NoError(t, err)
	require.Len(t, got, 1)
	require.Less(t, time.Since(sent), 5*time.Second)
}

func TestWorkersAndOrchestratorsHearEachOther(t *testing.T) {
	t.Parallel()
	l := lock(t, "")
	l.orchestrate()
	ours, theirs := natsqueue.NewSignals(l.orchestrator), natsqueue.NewSignals(l.as("worker-gpu"))
	for _, topic := range []string{"cancel", "rollcall", "drain"} {
		heard, err := theirs.Subscribe(topic)
		require.NoError(t, err)
		require.NoError(t, ours.Publish(t.Context(), topic, []byte(topic)))
		require.Equal(t, topic, string(<-heard.C()))
		heard.Stop()
	}
	heard, err := ours.Subscribe("heartbeat")
	require.NoError(t, err)
	defer heard.Stop()
	require.NoError(t, theirs.Publish(t.Context(), "heartbeat", []byte("alive")))
	require.Equal(t, "alive", string(<-heard.C()))
}

// forbidden is what nobody but an orchestrator may publish. Of the first, what
// follows from a subject is said where it is not plain.
var forbidden = []struct{ attempt, subject, body string }{
	{"submit: send a command", "deed.queue.inbox.%02d.p", `{"command":{}}`},
	{"report to a shard that there is not", "deed.queue.inbox.64.report.p", `{}`},
	{"report to what is no shard", "deed.queue.inbox.7.report.p", `{}`},
	{"send a task", "deed.queue.work.default.p", `{}`},
	{"send a task to another pool", "deed.queue.work.gpu.p", `{}`},
	{"put something into quarantine as an orchestrator does", "deed.queue.quarantine.inbox", `{}`},
	{"purge the work queue", "$JS.API.STREAM.PURGE.deed-work", ""},
	{"purge it by the imported API", "deed.js.STREAM.PURGE.deed-work", ""},
	{"delete the work queue", "$JS.API.STREAM.DELETE.deed-work", ""},
	{"write an event", "deed.events.process-p", `{}`},
	{"delete the events", "$JS.API.STREAM.DELETE.DEED_EVENTS", ""},
	{"delete the events by the imported API", "deed.js.STREAM.DELETE.DEED_EVENTS", ""},
	{"delete one event", "$JS.API.STREAM.MSG.DELETE.DEED_EVENTS", `{"seq":1}`},
	{"purge the events", "$JS.API.STREAM.PURGE.DEED_EVENTS", ""},
	{"read an event", "$JS.API.STREAM.MSG.GET.DEED_EVENTS", `{"seq":1}`},
	{"read an event by the imported API", "deed.js.STREAM.MSG.GET.DEED_EVENTS", `{"seq":1}`},
	{"read an event directly", "$JS.API.DIRECT.GET.DEED_EVENTS", `{"seq":1}`},
	{"read an event directly, by its subject", "$JS.API.DIRECT.GET.DEED_EVENTS.deed.events.process-p", ""},
	{"read the events as a consumer", "$JS.API.CONSUMER.CREATE.DEED_EVENTS.spy", `{}`},
	{"read the events as a durable consumer", "$JS.API.CONSUMER.DURABLE.CREATE.DEED_EVENTS.spy", `{}`},
	{"read the events by the imported API", "deed.js.CONSUMER.CREATE.DEED_EVENTS.spy", `{}`},
	{"take a copy of the events", "$JS.API.STREAM.SNAPSHOT.DEED_EVENTS", `{"deliver_subject":"x"}`},
	{"change the events stream", "$JS.API.STREAM.UPDATE.DEED_EVENTS", `{}`},
	{"make a stream", "$JS.API.STREAM.CREATE.spy", `{"name":"spy","subjects":["deed.signal.>"]}`},
	{"make a stream by the imported API", "deed.js.STREAM.CREATE.spy", `{"name":"spy","subjects":["deed.signal.>"]}`},
	{"delete the consumer of a shard", "$JS.API.CONSUMER.DELETE.deed-inbox.shard-00", ""},
	{"pause the consumer of a pool", "$JS.API.CONSUMER.PAUSE.deed-work.pool-default", `{"pause_until":"2100-01-01T00:00:00Z"}`},
	{"take from the inbox", "$JS.API.CONSUMER.MSG.NEXT.deed-inbox.shard-00", "1"},
	{"unpin a replica", "$JS.API.CONSUMER.UNPIN.deed-inbox.shard-00", `{"group":"holder"}`},
	{"acknowledge what is in the inbox", "$JS.ACK.deed-inbox.shard-00.1.1.1.1.1", "+ACK"},
	{"pass for a replica", "deed.signal.replica", `{"replica":"x"}`},
	{"answer a person", "deed.signal.reply.01", `{}`},
	{"cancel what others run", "deed.signal.cancel", `{"process":"p"}`},
	{"drain a worker", "deed.signal.drain", `{"worker":"w"}`},
	{"ask as people do", "deed.signal.ask", `{"replyTo":"reply.01"}`},
	{"ask for the server's accounts", "$SYS.REQ.SERVER.PING.ACCOUNTZ", ""},
	{"reload the server", "$SYS.REQ.SERVER.x.RELOAD", ""},
	{"answer another client", "_INBOX.x", "a lie"},
}

// unheard is what nobody but an orchestrator may listen to.
var unheard = []string{
	">", "_INBOX.>", "_INBOX_*.>", "deed.>", "deed.signal.>", "deed.signal.reply.*", "deed.signal.ask",
	"deed.queue.>", "deed.queue.inbox.>", "deed.queue.work.>", "deed.events.>", "$JS.>", "$JS.API.>", "$JS.ACK.>", "$JS.EVENT.>", "$SYS.>",
}

func (l *locked) fill() {
	l.t.Helper()
	ctx := l.t.Context()
	_, err := l.work.Lane(ctx, "gpu")
	require.NoError(l.t, err)
	require.NoError(l.t, l.work.Send(ctx, queue.Message{Key: "p", Body: []byte("a task")}, queue.Message{Lane: "gpu", Key: "p", Body: []byte("a task")}))
	_, err = l.js.Publish(ctx, "deed.events.process-p", []byte("an event"))
	require.NoError(l.t, err)
}

func TestWhatIsForOrchestratorsAloneIsRefusedToEverybodyElse(t *testing.T) {
	t.Parallel()
	l := lock(t, "")
	l.orchestrate()
	l.fill()
	before := l.settled()
	for _, name := range []string{"worker", "worker-gpu", "monitor"} {
		nc := l.as(name)
		for _, f := range forbidden {
			subject := strings.ReplaceAll(f.subject, "%02d", fmt.Sprintf("%02d", queue.ShardOf("p")))
			refusals := natsconn.WatchRefusals(nc)
			require.NoError(t, nc.PublishRequest(subject, nc.NewInbox(), []byte(f.body)))
			require.NoError(t, nc.Flush())
			assert.ErrorIs(t, refusals.Of(subject), nats.ErrPermissionViolation, "%s may %s", name, f.attempt)
		}
		for _, subject := range unheard {
			refusals := natsconn.WatchRefusals(nc)
			_, err := nc.SubscribeSync(subject)
			require.NoError(t, err)
			require.NoError(t, nc.Flush())
			assert.ErrorIs(t, refusals.Of(subject), nats.ErrPermissionViolation, "%s may listen to %s", name, subject)
		}
	}
	require.Equal(t, before, l.settled(), "nothing has changed")
}

func TestOneWorkersKeyOpensNoOtherPool(t *testing.T) {
	t.Parallel()
	l := lock(t, "")
	l.orchestrate()
	l.fill()
	lane, err := natsqueue.OpenTaker(t.Context(), l.as("worker"), natsqueue.Options{Name: "work"}, "gpu")
	require.NoError(t, err)
	began := time.Now()
	_, err = lane.Receive(t.Context(), 1, time.Minute)
	require.ErrorIs(t, err, nats.ErrPermissionViolation)
	require.ErrorContains(t, err, "may not publish to deed.js.CONSUMER.MSG.NEXT.deed-work.pool-gpu")
	require.ErrorContains(t, err, "deed auth nats")
	require.Less(t, time.Since(began), 10*time.Second, "it does not wait for an answer that never comes")

	inbox, err := natsqueue.OpenShardedOutlet(l.as("worker"), natsqueue.Options{Name: "inbox"})
	require.NoError(t, err)
	began = time.Now()
	require.ErrorIs(t, inbox.Send(t.Context(), queue.Message{Key: "p", Body: []byte(`{"command":{}}`)}), nats.ErrPermissionViolation)
	require.Less(t, time.Since(began), 5*time.Second)

	_, err = natsqueue.NewSignals(l.as("worker")).Subscribe("reply.01")
	require.ErrorIs(t, err, nats.ErrPermissionViolation)
}

func TestAnAcknowledgementOfOnePoolTakesNothingFromAnother(t *testing.T) {
	t.Parallel()
	l := lock(t, "")
	l.orchestrate()
	l.fill()
	before := l.settled()
	nc := l.as("worker")
	for seq := range 5 {
		for _, body := range []string{"+ACK", "+TERM", "-NAK", "+WPI"} {
			require.NoError(t, nc.Publish(fmt.Sprintf("$JS.ACK.deed-work.pool-default.1.%d.1.%d.0", seq, time.Now().UnixNano()), []byte(body)))
		}
	}
	require.NoError(t, nc.Flush())
	require.Equal(t, before, l.settled())
}

func TestAnAnswerGoesNowhereButToWhoAsked(t *testing.T) {
	t.Parallel()
	l := lock(t, "")
	l.orchestrate()
	l.fill()
	shard := queue.ShardOf("p")
	targets := []string{
		"deed.events.process-p", "deed.queue.work.gpu.p", fmt.Sprintf("deed.queue.inbox.%02d.p", shard),
		"deed.signal.cancel", "deed.signal.replica", "deed.signal.reply.01", "$JS.API.STREAM.PURGE.deed-work", "$JS.API.STREAM.DELETE.deed-work",
	}
	heard, err := l.orchestrator.SubscribeSync("deed.signal.>")
	require.NoError(t, err)
	require.NoError(t, l.orchestrator.Flush())
	for name, asks := range map[string][]string{
		"worker": {
			fmt.Sprintf("deed.queue.inbox.%02d.report.p", shard), "deed.queue.quarantine.undecodable",
			"deed.js.CONSUMER.MSG.NEXT.deed-work.pool-default", "deed.js.CONSUMER.INFO.deed-work.pool-default",
		},
		"monitor": {"deed.js.INFO", "deed.js.STREAM.INFO.DEED_EVENTS", "deed.js.CONSUMER.LIST.deed-work"},
	} {
		nc := l.as(name)
		for _, ask := range asks {
			for _, target := range targets {
				require.NoError(t, nc.PublishMsg(&nats.Msg{Subject: ask, Reply: target}))
				require.NoError(t, nc.PublishMsg(&nats.Msg{Subject: ask, Reply: nc.NewInbox(), Header: nats.Header{"Nats-Trace-Dest": {target}}}))
			}
		}
		require.NoError(t, nc.Flush())
	}
	l.settled()
	events, err := l.js.Stream(t.Context(), "DEED_EVENTS")
	require.NoError(t, err)
	require.Equal(t, uint64(1), events.CachedInfo().State.LastSeq, "no answer became an event")
	work, err := l.js.Stream(t.Context(), "deed-work")
	require.NoError(t, err)
	require.Equal(t, uint64(2), work.CachedInfo().State.LastSeq, "no answer became a task")
	inbox, err := l.js.Stream(t.Context(), "deed-inbox")
	require.NoError(t, err)
	require.Positive(t, inbox.CachedInfo().State.Msgs, "what was asked was done")
	commands, err := inbox.Info(t.Context(), jetstream.WithSubjectFilter("deed.queue.inbox.*.*"))
	require.NoError(t, err)
	require.Empty(t, commands.State.Subjects, "no answer became a command")
	_, err = heard.NextMsg(10 * time.Millisecond)
	require.ErrorIs(t, err, nats.ErrTimeout, "no answer became a signal")
}

func TestWhoMonitorsSeesStreamsAndConsumersAndWhoIsThere(t *testing.T) {
	t.Parallel()
	l := lock(t, "")
	l.orchestrate()
	l.fill()
	nc := l.as("monitor")
	js, err := natsconn.JetStream(withinSeconds(t, 10), nc)
	require.NoError(t, err)
	info, err := js.AccountInfo(t.Context())
	require.NoError(t, err)
	require.Equal(t, 4, info.Streams)
	stream, err := js.Stream(t.Context(), "deed-work")
	require.NoError(t, err)
	require.Equal(t, uint64(2), stream.CachedInfo().State.Msgs)
	c, err := js.Consumer(t.Context(), "deed-work", "pool-gpu")
	require.NoError(t, err)
	require.Equal(t, uint64(1), c.CachedInfo().NumPending)
	var names []string
	for name := range js.StreamNames(t.Context()).Name() {
		names = append(names, name)
	}
	require.ElementsMatch(t, []string{"DEED_EVENTS", "deed-inbox", "deed-quarantine", "deed-work"}, names)
	signals := natsqueue.NewSignals(nc)
	heard, err := signals.Subscribe("heartbeat")
	require.NoError(t, err)
	defer heard.Stop()
	require.NoError(t, natsqueue.NewSignals(l.orchestrator).Publish(t.Context(), "heartbeat", []byte("alive")))
	require.Equal(t, "alive", string(<-heard.C()))
}
