package orchestrator

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"sync"
	"time"

	"github.com/oklog/ulid/v2"

	"github.com/deedrun/deed/events"
	"github.com/deedrun/deed/internal/planted"
	"github.com/deedrun/deed/orchestrator/process"
)

// commit is what follows from requests of a process, on its way into the store.
// It is prepared, stored and carried out. What is stored and not carried out is
// derived again from the history, by who loads it next.
type commit struct {
	id       string
	name     string     // of the commit itself
	requests []*request // that it is about: the first of those it was prepared from
	began    time.Time  // for people: nothing is decided by it
	known    *process.State
	stands   uint64        // the version of its stream, if known is all there is
	state    process.State // after it
	happened []process.Event
	records  []events.Record // none: the decision is fenced by reading the version
	effects  []process.Effect
	refused  map[*request]error
	late     int // tasks reported done that were not open any more

	unreadable error // the history, so that nothing was decided
	failed     error // to be stored
}

// commitSize is how many bytes of encoded events close a commit.
const commitSize = 512 << 10

// storedAtOnce is how many commits of different processes are stored at the same
// time: a store syncs each to its disk, and none of them waits for another.
const storedAtOnce = 32

// passAll decides on a batch. After an error nothing more is decided on, but what
// is stored by then is carried out.
func (o *Owner) passAll(ctx context.Context, b batch) error {
	for ids := range slices.Chunk(b.order, storedAtOnce) {
		commits := o.prepareAll(ctx, ids, b)
		o.storeAll(ctx, commits)
		var failed error
		for _, c := range commits {
			switch {
			case failed == nil:
				failed = o.pass(ctx, c.id, b.todo[c.id], c)
			case c.isStored(): // it has happened, whatever became of the others
				o.follow(ctx, c)
			default:
				o.dropUncertain(c)
			}
		}
		if failed != nil {
			return failed
		}
	}
	return nil
}

// prepareAll prepares the first commit of each process, up to one that the store,
// which is away, does not let be read: the others would wait for it as long.
func (o *Owner) prepareAll(ctx context.Context, ids []string, b batch) []*commit {
	commits := make([]*commit, 0, len(ids))
	for _, id := range ids {
		c := o.prepare(ctx, id, b.todo[id])
		commits = append(commits, c)
		if c.unreadable != nil && isPassing(ctx, c.unreadable) {
			break
		}
	}
	return commits
}

// prepare decides on as many requests as one commit takes.
func (o *Owner) prepare(ctx context.Context, id string, requests []*request) *commit {
	c := &commit{id: id, name: ulid.Make().String(), requests: requests, began: time.Now(), refused: map[*request]error{}}
	if c.known, c.unreadable = o.state(ctx, id); c.unreadable != nil {
		return c
	}
	c.stands = o.stands(id, c.known.Version)
	pass, size, done := process.Begin(*c.known), 0, 0
	began := o.Metrics.Now()
	for _, r := range requests {
		if size > commitSize {
			break
		}
		done++
		decided, asked, err := o.decide(pass, id, r)
		if err != nil {
			c.refused[r], r.decided = err, nil // what was decided before a conflict has not happened
			continue
		}
		r.decided = decided
		if start, ok := r.command.(process.StartProcess); ok && start.Parent != nil {
			c.effects = append(c.effects, process.TellParent{})
		}
		before := len(c.records)
		if c.records, c.failed = appendRecords(c.records, id, decided); c.failed != nil {
			return c
		}
		for _, r := range c.records[before:] {
			size += len(r.Data)
		}
		c.effects = append(c.effects, asked...)
		r.answer.Version = pass.State().Version
		c.late += lateTasks(r.command, decided)
	}
	c.requests, c.state, c.happened = requests[:done], pass.State(), pass.Happened()
	o.Metrics.Decided(began)
	return c
}

// storeAll stores commits of different processes. Who steps an owner has them
// stored in their order.
func (o *Owner) storeAll(ctx context.Context, commits []*commit) {
	if len(commits) == 1 || o.isStepped() {
		for _, c := range commits {
			o.store(ctx, c)
		}
		return
	}
	var storing sync.WaitGroup
	for _, c := range commits {
		storing.Go(func() { o.store(ctx, c) })
	}
	storing.Wait()
}

// store makes a commit happen, or fences a decision that led to no event. It
// touches nothing of the owner's that changes.
func (o *Owner) store(ctx context.Context, c *commit) {
	switch {
	case c.unreadable != nil || c.failed != nil:
	case len(c.records) > 0:
		began := o.Metrics.Now()
		if c.failed = o.append(ctx, c); c.failed == nil {
			o.Metrics.Committed(len(c.records), began)
		}
	default:
		c.failed = o.fence(ctx, c.id, c.stands)
	}
}

func (c *commit) isStored() bool {
	return c.unreadable == nil && c.failed == nil && len(c.records) > 0
}

func (o *Owner) append(ctx context.Context, c *commit) error {
	expected := events.Exactly(c.known.Version)
	if planted.Is(planted.UncheckedVersion) {
		expected = events.Any()
	}
	_, err := o.Events.Append(ctx, streamPrefix+c.id, expected, c.name, c.records...)
	if errors.Is(err, events.ErrUnavailable) { // the answer may be what was lost
		_, err = o.Events.Append(ctx, streamPrefix+c.id, expected, c.name, c.records...)
	}
	if err != nil {
		return fmt.Errorf("process %q: %w", c.id, err)
	}
	return nil
}

// carryOut does what follows from a commit, once it is stored, and returns on how
// many requests was decided.
func (o *Owner) carryOut(ctx context.Context, c *commit) (done int, err error) {
	if c.unreadable != nil {
		return o.refuseUnreadable(ctx, c.requests, c.unreadable)
	}
	if c.failed != nil {
		o.dropUncertain(c)
		if errors.Is(c.failed, events.ErrTooLarge) {
			return o.commitLess(ctx, c)
		}
		return 0, c.failed
	}
	o.follow(ctx, c) // before what may fail: a repeat finds the events stored, and asks for nothing
	for _, r := range c.requests {
		if err := c.refused[r]; err != nil {
			if err := o.refuse(ctx, r, err); err != nil {
				return 0, err
			}
		}
	}
	return len(c.requests), nil
}

// follow takes in what a commit made happen, and does what that asks for.
func (o *Owner) follow(ctx context.Context, c *commit) {
	state := c.state // kept for long, and not the commit with it, which knows the one before
	if len(c.records) > 0 {
		o.measure(c.known.Status, &state, c.happened)
		o.Failpoint("orchestrator.after-append")
		o.keep(c.id, &state)
		o.feeder.observe(c.id, c.happened)
		o.children.observe(&state, c.happened)
		o.logHappened(c.id, c.happened)
		o.snapshot(ctx, state, c.name)
	}
	if c.late > 0 {
		o.late[c.id] += c.late
		o.Metrics.Late(c.late)
	}
	o.traceDecided(c.began, &state, c.requests, c.refused)
	o.perform(ctx, &state, c.effects)
}

// dropUncertain forgets what is known of a process if the commit that failed may
// have been stored, or somebody else wrote.
func (o *Owner) dropUncertain(c *commit) {
	if c.failed != nil && (len(c.records) > 0 || isConflict(c.failed)) {
		o.drop(c.id)
	}
}

// commitLess handles a commit that the store does not take: alone, the first
// command may fit; if it was alone, it is refused.
func (o *Owner) commitLess(ctx context.Context, c *commit) (int, error) {
	if len(c.requests) > 1 {
		return o.commit(ctx, c.id, c.requests[:1])
	}
	return 1, o.refuse(ctx, c.requests[0], &process.RefusedError{Process: c.id, Reason: c.failed.Error()})
}

// commit decides on as many requests as one commit takes, and returns how many.
func (o *Owner) commit(ctx context.Context, id string, requests []*request) (done int, err error) {
	c := o.prepare(ctx, id, requests)
	o.store(ctx, c)
	return o.carryOut(ctx, c)
}
