package orchestrator

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/deedrun/deed/events"
	"github.com/deedrun/deed/orchestrator/process"
)

// Load folds the history of a process. An unknown ID gives the zero State.
func Load(ctx context.Context, from Commits, id string) (process.State, error) {
	return LoadAt(ctx, from, id, 0)
}

// LoadAt folds the first `version` events of a process; 0 means all.
func LoadAt(ctx context.Context, from Commits, id string, version uint64) (process.State, error) {
	var batch []process.Event
	var state process.State
	for e, err := range eventsOf(ctx, from, id, 0) {
		if err != nil {
			return state, fmt.Errorf("load process %q: %w", id, err)
		}
		event, err := process.Decode(process.Stored{Type: e.Type, Schema: e.Schema, Data: e.Data})
		if err != nil {
			return state, fmt.Errorf("load process %q: event %d: %w", id, e.Version, err)
		}
		if batch = append(batch, event); len(batch) == foldAtOnce {
			state, batch = process.Fold(state, batch...), batch[:0]
		}
		if e.Version == version {
			break
		}
	}
	return process.Fold(state, batch...), nil
}

// Unfinished lists the IDs of the processes that have not ended. It reads one
// commit a process, unless that is one that may follow an end.
func Unfinished(ctx context.Context, store *events.Store) ([]string, error) {
	return unfinished(ctx, store, func(string) bool { return true })
}

// unfinished is Unfinished of those processes that are among.
func unfinished(ctx context.Context, store *events.Store, among func(id string) bool) ([]string, error) {
	var ids []string
	for last, err := range store.Ends(ctx, streamPrefix) {
		if err != nil {
			return nil, err
		}
		id := strings.TrimPrefix(last.Stream, streamPrefix)
		if !among(id) {
			continue
		}
		if len(last.Events) == 0 { // damaged: loading it says so
			ids = append(ids, id)
			continue
		}
		event := last.Events[len(last.Events)-1]
		if endsProcess(event) {
			continue
		}
		if event.Type == revised {
			if s, err := Load(ctx, store, id); err == nil && s.Ended() {
				continue
			}
		}
		ids = append(ids, id)
	}
	slices.Sort(ids)
	return ids, nil
}

// revised is the type of the one event that may follow the end of a process
// without making it go again.
const revised = "process-revised"

func endsProcess(r events.Record) bool {
	if closesStream(r) {
		return true
	}
	last, err := process.Decode(process.Stored{Type: r.Type, Schema: r.Schema, Data: r.Data})
	if err != nil {
		return false // loading it says what is wrong
	}
	switch last.(type) {
	case process.ProcessCompleted, process.ProcessFailed, process.ProcessCancelled:
		return true
	}
	return false
}

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

// isPassing reports whether the same may succeed later.
func isPassing(ctx context.Context, err error) bool {
	return errors.Is(err, events.ErrUnavailable) || ctx.Err() != nil
}

func isConflict(err error) bool {
	var conflict *events.ConflictError
	return errors.As(err, &conflict)
}
