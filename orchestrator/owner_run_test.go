package orchestrator

import (
	"context"
	"log/slog"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/deedrun/deed/events"
	memevents "github.com/deedrun/deed/events/mem"
	"github.com/deedrun/deed/orchestrator/process"
	"github.com/deedrun/deed/queue"
	memqueue "github.com/deedrun/deed/queue/mem"
)

// runs are owners that run, on memory backends, in a bubble.
type runs struct {
	t       *testing.T
	options Options
	inbox   *memqueue.Sharded
	client  *Client
}

func newRuns(t *testing.T) *runs {
	r := &runs{t: t, inbox: memqueue.NewSharded(memqueue.Options{})}
	r.options = Options{
		Events: events.New(memevents.New()), Work: memqueue.NewQueue(memqueue.Options{}), Quarantine: memqueue.NewQueue(memqueue.Options{}),
		Signals: memqueue.NewSignals(), Log: slog.New(slog.DiscardHandler),
	}
	r.client = &Client{Events: r.options.Events, Inbox: r.inbox, Signals: r.options.Signals}
	return r
}

// single is a process of one task that reads nothing.
func single(id string) process.StartProcess {
	def := fanOut()
	def.Inputs, def.Steps[0].Each = nil, nil
	return process.StartProcess{ID: id, Definition: def}
}

// start lets an owner run until it is stopped; stop waits for its end.
func (r *runs) start(name string, first bool) (o *Owner, stop func()) {
	r.t.Helper()
	options := r.options
	options.Inbox, options.Replica, options.First = r.inbox.Consumer(), name, first
	o, err := NewOwner(options)
	require.NoError(r.t, err)
	ctx, cancel := context.WithCancel(r.t.Context())
	ended := make(chan struct{})
	go func() {
		defer close(ended)
		defer o.Close()
		_ = o.Run(ctx) // until it is stopped
	}()
	return o, func() { cancel(); <-ended }
}

func TestOwnersThatRunShareTheShardsAndOneThatIsStoppedHandsThemOver(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := newRuns(t)
		_, stopFirst := r.start("a", true)
		_, stopSecond := r.start("b", false)
		time.Sleep(3 * time.Second)
		v, err := r.client.Look(t.Context(), "")
		require.NoError(t, err)
		require.Equal(t, queue.AllShards, v.Shards)
		require.Len(t, v.Replicas, 2)
		require.Zero(t, v.Replicas[0].Shards&v.Replicas[1].Shards)

		stopFirst()
		began := time.Now()
		_, err = r.client.Start(t.Context(), single("p"))
		require.NoError(t, err)
		require.Less(t, time.Since(began), time.Second, "whoever is left takes over at once")
		v, err = r.client.Look(t.Context(), "")
		require.NoError(t, err)
		require.Equal(t, []ReplicaView{{Replica: "b", Shards: queue.AllShards}}, v.Replicas)
		stopSecond()
	})
}

func TestALookDoesWithoutReplicasThatDoNotAnswerAndIsNotCertain(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := newRuns(t)
		announce := func() {
			body := []byte(`{"replica":"mute","shards":"255"}`)
			require.NoError(t, r.options.Signals.Publish(t.Context(), TopicReplica, body))
		}
		o, stop := r.start("a", true)
		stopped := make(chan struct{})
		go func() {
			defer close(stopped)
			for range 100 {
				announce()
				time.Sleep(announceEvery)
			}
		}()
		time.Sleep(20 * time.Second)
		require.False(t, o.Holds(0))
		began := time.Now()
		v, err := r.client.Look(t.Context(), "")
		require.NoError(t, err)
		require.False(t, v.Certain)
		require.Zero(t, v.Shards&255)
		require.Len(t, v.Replicas, 1)
		require.Less(t, time.Since(began), lookWithin+time.Second)

		hurried, cancel := context.WithTimeout(t.Context(), lookWithin-time.Second)
		defer cancel()
		v, err = r.client.Look(hurried, "")
		require.NoError(t, err, "who has no time to wait for the others gets what is there")
		require.False(t, v.Certain)
		require.Zero(t, v.Shards&255)
		<-stopped
		stop()
	})
}

// slow is an event store that takes its time.
type slow struct {
	events.Driver
	takes time.Duration
}

func (s *slow) Append(ctx context.Context, stream string, expected events.Expected, c events.Commit) (uint64, error) {
	select {
	case <-time.After(s.takes):
	case <-ctx.Done():
		return 0, context.Cause(ctx)
	}
	return s.Driver.Append(ctx, stream, expected, c)
}

func TestAnOwnerWhoseStepTakesLongIsNotTakenForDeadUntilItTakesTooLong(t *testing.T) {
	for takes, dies := range map[time.Duration]bool{stuckAfter - time.Second: false, stuckAfter + 3*silentAfter: true} {
		synctest.Test(t, func(t *testing.T) {
			r := newRuns(t)
			store := &slow{memevents.New(), takes}
			r.options.Events = events.New(store)
			_, stopFirst := r.start("a", true)
			second, stopSecond := r.start("b", false)
			time.Sleep(3 * time.Second)
			id := "p"
			for second.Holds(queue.ShardOf(id)) {
				id += "p"
			}
			go func() { _, _ = r.client.Start(t.Context(), single(id)) }()
			time.Sleep(takes - time.Second)
			require.Equal(t, dies, second.Holds(queue.ShardOf(id)))
			stopFirst()
			stopSecond()
		})
	}
}

func TestAStepThatIsUnderWayWhenTheOwnerIsToEndMayGoOnForAMoment(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := newRuns(t)
		r.options.Events = events.New(&slow{memevents.New(), finish / 2})
		_, stop := r.start("a", true)
		time.Sleep(time.Second)
		ended := make(chan error, 1)
		go func() {
			_, err := r.client.Start(t.Context(), single("p"))
			ended <- err
		}()
		time.Sleep(finish / 4)
		began := time.Now()
		stop()
		require.Less(t, time.Since(began), finish)
		require.NoError(t, <-ended)
		version, err := r.options.Events.Version(t.Context(), "process-p")
		require.NoError(t, err)
		require.NotZero(t, version)
	})
}

func TestAnOwnerEndsThoughItsBackendsAreAway(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := newRuns(t)
		r.options.Events = events.New(&slow{memevents.New(), time.Hour})
		_, stop := r.start("a", true)
		time.Sleep(time.Second)
		go func() { _, _ = r.client.Start(t.Context(), single("p")) }()
		time.Sleep(time.Second)
		r.inbox.Kill()
		began := time.Now()
		stop()
		require.LessOrEqual(t, time.Since(began), finish+leave)
	})
}

// cutOff is an event store that one replica cannot reach for a while.
type cutOff struct {
	events.Driver
	is atomic.Bool
}

func (a *cutOff) Append(ctx context.Context, stream string, expected events.Expected, c events.Commit) (uint64, error) {
	if a.is.Load() {
		return 0, events.ErrUnavailable
	}
	return a.Driver.Append(ctx, stream, expected, c)
}

func (a *cutOff) Last(ctx context.Context, stream string) (c events.Commit, ok bool, err error) {
	if a.is.Load() {
		return c, false, events.ErrUnavailable
	}
	return a.Driver.Last(ctx, stream)
}

func TestAReplicaThatAloneCannotReachTheEventStoreLeavesItsShardsToTheOthersUntilItCan(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := newRuns(t)
		store := memevents.New()
		r.options.Events = events.New(store)
		r.client.Events = r.options.Events
		_, stopFirst := r.start("a", true)
		cut := &cutOff{Driver: store}
		r.options.Events = events.New(cut)
		second, stopSecond := r.start("b", false)
		time.Sleep(3 * time.Second)
		id := "p"
		for !second.Holds(queue.ShardOf(id)) {
			id += "p"
		}
		cut.is.Store(true)
		began := time.Now()
		_, err := r.client.Start(t.Context(), single(id))
		require.NoError(t, err)
		require.Less(t, time.Since(began), asideAfter+5*time.Second)
		time.Sleep(time.Minute)
		require.False(t, second.Holds(queue.ShardOf(id)), "it does not come back before it can")

		cut.is.Store(false)
		time.Sleep(5 * time.Second)
		require.True(t, second.Holds(queue.ShardOf(id)))
		_, err = r.client.Start(t.Context(), single(id+"-x"))
		require.NoError(t, err)
		stopFirst()
		stopSecond()
	})
}

func TestTheLastReplicaKeepsItsShardsHoweverLongTheEventStoreIsAway(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := newRuns(t)
		cut := &cutOff{Driver: memevents.New()}
		r.options.Events = events.New(cut)
		r.client.Events = r.options.Events
		first, stopFirst := r.start("a", true)
		second, stopSecond := r.start("b", false)
		time.Sleep(3 * time.Second)
		cut.is.Store(true)
		started := make(chan error, 1)
		go func() {
			_, err := r.client.Start(t.Context(), single("p"))
			started <- err
		}()
		time.Sleep(5 * time.Minute)
		require.NotEqual(t, first.Holds(queue.ShardOf("p")), second.Holds(queue.ShardOf("p")), "one of them waits for it")
		cut.is.Store(false)
		require.NoError(t, <-started)
		stopFirst()
		stopSecond()
	})
}
