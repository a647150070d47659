package orchestrator

import (
	"fmt"

	"github.com/deedrun/deed/events"
	"github.com/deedrun/deed/orchestrator/process"
)

// folding folds the events of a history, many at a time: each Fold copies what it
// touches once, and for a step of many tasks that is what folding costs.
type folding struct {
	state process.State
	batch []process.Event
}

const foldAtOnce = 1024

func (f *folding) add(e process.Event) {
	if f.batch = append(f.batch, e); len(f.batch) == foldAtOnce {
		f.end()
	}
}

// end is the state once all that was added is in.
func (f *folding) end() process.State {
	f.state, f.batch = process.Fold(f.state, f.batch...), f.batch[:0]
	return f.state
}

// addStored adds the events of a commit.
func (f *folding) addStored(c events.Commit) error {
	for _, r := range c.Events {
		event, err := decode(r)
		if err != nil {
			return err
		}
		f.add(event)
	}
	return nil
}

func decode(r events.Record) (process.Event, error) { return process.Decode(process.Stored(r)) }

// appendRecords adds the stored form of what happened to a process.
func appendRecords(records []events.Record, id string, happened []process.Event) ([]events.Record, error) {
	for _, e := range happened {
		stored, err := process.Encode(e)
		if err != nil {
			return nil, fmt.Errorf("process %q: %w", id, err)
		}
		records = append(records, events.Record(stored))
	}
	return records, nil
}
