package orchestrator

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"maps"
	"os"
	"slices"
	"strings"
	"time"

	"github.com/oklog/ulid/v2"

	"github.com/deedrun/deed/internal/planted"
	"github.com/deedrun/deed/orchestrator/process"
	"github.com/deedrun/deed/queue"
)

// takeoverSlice is for how long one step loads processes of shards that are
// being taken: those of the shards that are held already go on in between.
const takeoverSlice = 100 * time.Millisecond

// takeover is what is left to be done before shards are held.
type takeover struct {
	shards queue.Shards
	ids    []string // open processes, to be loaded
	open   int      // of those that are loaded
}

// newReplicaName makes a name that no other replica has.
func newReplicaName() string {
	host, err := os.Hostname()
	if err != nil {
		host = "replica"
	}
	return fmt.Sprintf("%s-%d-%s", host, os.Getpid(), strings.ToLower(ulid.Make().String()[20:]))
}

// Holds reports whether the processes of a shard are this owner's. Any
// goroutine may ask.
func (o *Owner) Holds(shard int) bool { return queue.Shards(o.holding.Load()).Has(shard) }

// hold sets what is held, once the inbox gives its messages or gives them no more.
func (o *Owner) hold(shards queue.Shards) {
	o.shards = shards
	o.holding.Store(uint64(shards))
}

// shareOut hears the other replicas, lets go of what falls to them, takes what
// falls to this one, and says so.
func (o *Owner) shareOut(ctx context.Context, clock func() time.Time) error {
	o.hearReplicas(clock())
	letGo, _ := o.members.look()
	if letGo != 0 {
		if err := o.letGo(ctx, letGo); err != nil {
			return err
		}
	}
	o.announce(ctx, clock()) // who gets what was let go of need not wait for what is taken
	if err := o.take(ctx, clock); err != nil {
		return fmt.Errorf("take over: %w", err)
	}
	o.announce(ctx, clock())
	return nil
}

func (o *Owner) hearReplicas(now time.Time) {
	for {
		select {
		case body, ok := <-o.replicas.C():
			if !ok {
				return
			}
			var a Announcement
			if err := json.Unmarshal(body, &a); err != nil || a.Replica == "" {
				o.Log.Warn("orchestrator: an announcement of a replica that cannot be read is ignored", "error", err)
				continue
			}
			o.members.hear(now, a)
		default:
			return
		}
	}
}

// letGo ends this owner's part in shards: first nothing more of them comes in,
// then it forgets their processes. On the work queue it leaves what is there,
// and messages that it has received and not acknowledged come to the next
// holder when their leases run out.
func (o *Owner) letGo(ctx context.Context, shards queue.Shards) error {
	if o.shards&shards != 0 {
		if err := o.Inbox.Hold(ctx, o.shards.Without(shards)); err != nil {
			return fmt.Errorf("let go of shards: %w", err)
		}
		o.hold(o.shards.Without(shards))
		o.Log.Log(ctx, o.interest(), "orchestrator: shards let go of", "shards", shards.Len(), "left", o.shards.Len())
	}
	o.forget(shards)
	o.members.releases(shards)
	return nil
}

// forget drops all that memory has of the processes of shards.
func (o *Owner) forget(shards queue.Shards) {
	maps.DeleteFunc(o.processes, func(id string, _ *process.State) bool { return shards.Holds(id) })
	maps.DeleteFunc(o.closings, func(id string, _ closing) bool { return shards.Holds(id) })
	maps.DeleteFunc(o.dropped, func(id string, _ struct{}) bool { return shards.Holds(id) })
	maps.DeleteFunc(o.snapshots, func(id string, _ uint64) bool { return shards.Holds(id) })
	maps.DeleteFunc(o.late, func(id string, _ int) bool { return shards.Holds(id) })
	o.ended = slices.DeleteFunc(o.ended, shards.Holds)
	o.backlog = slices.DeleteFunc(o.backlog, func(d queue.Delivery) bool { return shards.Holds(d.Key) })
	o.timers.letGo(shards)
	o.feeder.letGo(shards)
	o.children.letGo(shards)
	o.searches.forget(shards)
	if o.taking != nil {
		o.taking.shards = o.taking.shards.Without(shards)
	}
}

// take loads every open process of the shards that were claimed and are not
// held yet, in one pass for all of them, and resumes it. Whatever is on the work
// queue of such a process is from an earlier holder: it is removed, and what no
// worker says it holds is sent again. Only then messages of these shards come in.
func (o *Owner) take(ctx context.Context, clock func() time.Time) error {
	if o.taking == nil {
		claimed := o.members.claimed.Without(o.shards)
		if claimed == 0 {
			return nil
		}
		ids, err := unfinished(ctx, o.Events, claimed.Holds)
		if err != nil {
			return err
		}
		if planted.Is(planted.UnloadedShard) {
			ids = nil
		}
		o.taking = &takeover{shards: claimed, ids: ids}
	}
	t := o.taking
	if done, err := o.loadSome(ctx, t, clock); !done || err != nil {
		return err
	}
	o.Failpoint("orchestrator.taking")
	if err := o.Inbox.Hold(ctx, o.shards|t.shards); err != nil {
		return err
	}
	o.hold(o.shards | t.shards)
	o.members.holds(t.shards)
	o.taking = nil
	o.Metrics.TookOver()
	if t.open > 0 {
		o.Log.Info("orchestrator: resuming", "processes", t.open)
	}
	o.Log.Log(ctx, o.interest(), "orchestrator: shards taken", "shards", t.shards.Len(), "held", o.shards.Len())
	return nil
}

// interest is how much what happens to shards matters to people: little, where
// there is one replica.
func (o *Owner) interest() slog.Level {
	if len(o.members.others) > 0 {
		return slog.LevelInfo
	}
	return slog.LevelDebug
}

// loadSome loads processes for as long as a slice allows; done says that there
// are no more.
func (o *Owner) loadSome(ctx context.Context, t *takeover, clock func() time.Time) (done bool, err error) {
	began, open := clock(), t.open
	defer func() {
		if t.open > open { // before the work queue is purged, later in this step
			o.callRoll(ctx)
		}
	}()
	for ; len(t.ids) > 0; t.ids = t.ids[1:] {
		id := t.ids[0]
		if !t.shards.Holds(id) {
			continue // let go of meanwhile
		}
		if clock().Sub(began) > takeoverSlice {
			return false, nil
		}
		s, err := o.reload(ctx, id)
		switch {
		case err != nil && isPassing(ctx, err):
			return false, err
		case err != nil:
			o.Log.Error("orchestrator: a process cannot be taken over and stands still", o.inLog(id, "shard", queue.ShardOf(id), "error", err)...)
			o.Metrics.Stuck()
		case !s.Ended():
			t.open++
			o.feeder.sweep(id)
		}
	}
	return true, nil
}

// Leave lets go of everything and says so, so that others take it at once. The
// owner must not be stepped any more, unless it joins anew.
func (o *Owner) Leave(ctx context.Context) error {
	err := o.letGo(ctx, o.members.claimed)
	return errors.Join(err, o.voice.say(ctx, Announcement{Replica: o.members.name, Leaving: true, Version: o.Version}))
}
