package whole_test

import (
	"context"
	"fmt"
	"log/slog"
	"slices"
	"time"

	"github.com/deedrun/deed/orchestrator"
	"github.com/deedrun/deed/queue"
	memqueue "github.com/deedrun/deed/queue/mem"
)

// replica is an owner, and until when it does nothing: long enough for others
// to believe that it is dead.
type replica struct {
	*orchestrator.Owner
	inbox  *memqueue.Sharded
	name   string
	frozen time.Time
}

// newReplica is one more owner; the first of a world need not listen for others.
func (w *world) newReplica(first bool) *replica {
	w.names++
	r := &replica{inbox: w.inbox.Consumer(), name: fmt.Sprintf("o%d", w.names)}
	o := w.ownerOptions(r.name)
	o.Inbox, o.Signals, o.First = r.inbox, w.signals, first
	r.Owner = must(orchestrator.NewOwner(o))
	return r
}

func (w *world) ownerOptions(name string) orchestrator.Options {
	return orchestrator.Options{
		Events: w.store, Work: w.work, Quarantine: w.bad,
		Window: 8, Log: slog.New(slog.DiscardHandler), Failpoint: w.crashSometimes, Replica: name,
		Snapshots: &orchestrator.Snapshots{Blobs: w.blobs, Every: 15, Log: slog.New(slog.DiscardHandler)},
	}
}

// die is the end of its process.
func (r *replica) die() {
	r.Close()
	r.inbox.Kill()
}

func (w *world) stepReplica(i int) {
	r := w.owners[i]
	if w.now.Before(r.frozen) {
		return
	}
	var err error
	if crash := survive(func() { _, err = r.Step(w.ctx, w.now) }); crash != nil {
		w.say("%s crashes at %s", r.name, crash.at)
		w.replace(i)
		return
	}
	w.say("%s: %v", r.name, err)
}

// replace lets an owner die, and another one begin. One that is alone may be
// the process that serves the queues: then it need not listen first.
func (w *world) replace(i int) {
	w.owners[i].die()
	w.owners[i] = w.newReplica(len(w.owners) == 1 && w.random.IntN(2) == 0)
	w.say("%s begins", w.owners[i].name)
}

// meddleWithReplicas lets an owner die, and in some worlds come, go or stand still.
func (w *world) meddleWithReplicas() {
	if w.settled {
		return
	}
	i := w.random.IntN(len(w.owners))
	r := w.owners[i]
	switch x := w.random.IntN(9); {
	case x < 2:
		w.say("%s dies", r.name)
		w.replace(i)
	case x < 4 && !w.many:
		w.say("a rival begins")
		if w.rival != nil {
			w.rival.Close()
		}
		w.rival = w.newRival()
	case !w.many:
	case x < 6 && len(w.owners) < 4:
		joins := w.newReplica(false)
		w.owners = append(w.owners, joins)
		w.say("%s joins", joins.name)
	case x < 8 && len(w.owners) > 1:
		w.say("%s leaves", r.name)
		if crash := survive(func() { must(0, r.Leave(w.ctx)) }); crash != nil {
			w.say("%s crashes at %s", r.name, crash.at)
		}
		r.die()
		w.owners = slices.Delete(w.owners, i, i+1)
	default:
		w.say("%s stands still", r.name)
		r.frozen = w.now.Add(time.Duration(w.random.IntN(6000)) * time.Millisecond)
	}
}

// newRival is an owner that hears no other one, and gets what the first one would get.
func (w *world) newRival() *orchestrator.Owner {
	o := w.ownerOptions("rival")
	o.Inbox, o.Signals, o.First = stolen{w.inbox, w}, unheard{w.signals, memqueue.NewSignals()}, true
	return must(orchestrator.NewOwner(o))
}

func (w *world) stepRival() {
	if w.rival == nil {
		return
	}
	var err error
	if crash := survive(func() { _, err = w.rival.Step(w.ctx, w.now) }); crash != nil {
		w.say("the rival crashes at %s", crash.at)
		w.rival.Close()
		w.rival = w.newRival()
		return
	}
	w.say("rival: %v", err)
}

// stolen is an inbox that gives what its first owner holds.
type stolen struct {
	*memqueue.Sharded
	world *world
}

func (stolen) Hold(context.Context, queue.Shards) error { return nil }

func (s stolen) Receive(ctx context.Context, limit int, wait time.Duration) ([]queue.Delivery, error) {
	return s.world.owners[0].inbox.Receive(ctx, limit, wait)
}

// unheard is signals over which an owner hears no other one.
type unheard struct {
	queue.Signals
	own queue.Signals
}

func (u unheard) Publish(ctx context.Context, topic string, body []byte) error {
	if topic == orchestrator.TopicReplica {
		return u.own.Publish(ctx, topic, body)
	}
	return u.Signals.Publish(ctx, topic, body)
}

func (u unheard) Subscribe(topic string) (queue.Listener, error) {
	if topic == orchestrator.TopicReplica {
		return u.own.Subscribe(topic)
	}
	return u.Signals.Subscribe(topic)
}
