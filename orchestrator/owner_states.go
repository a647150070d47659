package orchestrator

import (
	"context"

	"github.com/deedrun/deed/orchestrator/process"
)

// endedKept is how many ended processes are kept in memory, for late reports.
const endedKept = 128

// state is the state of a process, from memory or from the store.
func (o *Owner) state(ctx context.Context, id string) (*process.State, error) {
	if s := o.processes[id]; s != nil {
		return s, nil
	}
	return o.reload(ctx, id)
}

// reload folds the stored history and resumes: whatever the feeder had is
// derived anew, except that what it sent and is not over stays sent. Of a
// process that cannot be read nothing is sent any more.
func (o *Owner) reload(ctx context.Context, id string) (*process.State, error) {
	s, err := o.load(ctx, id)
	if err != nil {
		if !isPassing(ctx, err) {
			o.feeder.end(id)
			o.timers.drop(id)
		}
		return nil, err
	}
	if s.Version == 0 {
		return &s, nil // nobody started it: nothing to remember
	}
	o.keep(id, &s)
	o.feeder.forget(id)
	o.feeder.settle(&s)
	o.children.settle(&s)
	o.timers.forget(id)
	if s.Damage() == nil {
		o.perform(ctx, &s, process.Resume(s))
		if s.Parent != nil {
			o.children.tell(&s) // what was to be said before may not have been
		}
	}
	return &s, nil
}

// keep holds a state in memory: for ever while it runs, for a while once it ended.
func (o *Owner) keep(id string, s *process.State) {
	before := o.processes[id]
	o.processes[id] = s
	if !s.Ended() || before != nil && before.Ended() {
		return
	}
	o.ended = append(o.ended, id)
	if len(o.ended) > endedKept {
		if old := o.processes[o.ended[0]]; old != nil && old.Ended() {
			delete(o.processes, o.ended[0])
			delete(o.closings, o.ended[0])
			delete(o.late, o.ended[0])
			delete(o.snapshots, o.ended[0])
		}
		o.ended = o.ended[1:]
	}
}

// drop forgets what memory believes of a process, after an append that may or
// may not have been stored. recall loads it again if nothing else does.
func (o *Owner) drop(id string) {
	delete(o.processes, id)
	delete(o.closings, id)
	o.dropped[id] = struct{}{}
}

// recall loads what was dropped: nothing may come in for a process whose only
// task hangs, and the timeout manager sees only what is in memory.
func (o *Owner) recall(ctx context.Context) error {
	for id := range o.dropped {
		_, err := o.state(ctx, id)
		if err != nil && isPassing(ctx, err) {
			return err
		}
		if err != nil {
			o.Log.Error("orchestrator: a process cannot be loaded again and stands still", o.inLog(id, "error", err)...)
			o.Metrics.Stuck()
		}
		delete(o.dropped, id)
	}
	return nil
}

// commits is what the owner reads histories from.
func (o *Owner) commits() Commits {
	if o.Archive != nil {
		return o.Archive
	}
	return o.Events
}

// load is the state of a process from its snapshot and what follows it, or from
// its archive. Whether it is archived is remembered with it, until it is dropped.
func (o *Owner) load(ctx context.Context, id string) (state process.State, err error) {
	delete(o.closings, id)
	last, started, err := o.Events.Last(ctx, streamPrefix+id)
	if err != nil {
		return state, err
	}
	var k closing
	if started {
		if k, err = closingOf(last); err != nil {
			return state, err
		}
	}
	from := uint64(0)
	switch {
	case o.Snapshots == nil || k.archived != nil:
		state, err = Load(ctx, o.commits(), id)
	case started: // else there is nothing to read
		state, from, err = o.Snapshots.Load(ctx, o.Events, id)
	}
	if err != nil {
		return state, err
	}
	if from > 0 {
		o.snapshots[id] = from
	}
	if k.archived != nil {
		o.closings[id] = k
	}
	return state, nil
}
