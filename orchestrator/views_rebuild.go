package orchestrator

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"maps"
	"slices"
	"time"

	"github.com/deedrun/deed/events"
)

// ViewStatus is a stored view as it lies there.
type ViewStatus struct {
	Name       string            `json:"name"`
	Stored     bool              `json:"stored"` // false: nothing that can be believed
	Checkpoint events.Checkpoint `json:"checkpoint"`
	Processes  int               `json:"processes"`
	Behind     int               `json:"behind"` // commits that are newer
	StoredAt   time.Time         `json:"storedAt,omitzero"`
	Bytes      int               `json:"bytes"`
}

// Status says of each view what is stored of it.
func (v *Views) Status(ctx context.Context) ([]ViewStatus, error) {
	o, err := v.open(ctx)
	if err != nil {
		return nil, err
	}
	defer o.list.stop()
	s := ViewStatus{
		Name: processesView, Stored: o.key != "", Checkpoint: o.list.at.At, Processes: len(o.list.all()), StoredAt: o.stored.StoredAt, Bytes: o.bytes,
	}
	s.Behind, err = o.list.catchUp(ctx)
	return []ViewStatus{s}, err
}

// Rebuilt is what became of a view that was folded from zero.
type Rebuilt struct {
	Name       string            `json:"name"`
	Was        bool              `json:"was"`   // there was a stored one, that could be believed
	Equal      bool              `json:"equal"` // it said the same; false also if there was none
	Differs    *Difference       `json:"differs,omitempty"`
	Checkpoint events.Checkpoint `json:"checkpoint"`
	Commits    int               `json:"commits"`
	Processes  int               `json:"processes"`
}

// Difference is the first that differs between a stored list and the events.
// A value that is not there is null.
type Difference struct {
	Process string          `json:"process"`
	Field   string          `json:"field"`
	Stored  json.RawMessage `json:"stored"`
	Events  json.RawMessage `json:"events"`
}

// Rebuild folds the list of processes from zero while the stored one goes on,
// compares the two at the same commit, and stores the new one. Processes may
// go on meanwhile.
func (v *Views) Rebuild(ctx context.Context, now time.Time) (Rebuilt, error) {
	running, err := v.open(ctx)
	if err != nil {
		return Rebuilt{}, err
	}
	defer running.list.stop()
	anew, err := newList(ctx, v.Events)
	if err != nil {
		return Rebuilt{}, err
	}
	defer anew.stop()
	r := Rebuilt{Name: processesView, Was: running.key != ""}
	if r.Commits, err = anew.catchUp(ctx); err != nil {
		return r, err
	}
	bad := running.bad
	if r.Was {
		if err := level(ctx, running.list, anew); err != nil {
			return r, err
		}
		if r.Differs, err = difference(running.list.byID, anew.byID); err != nil {
			return r, err
		}
		r.Equal = r.Differs == nil
		if !r.Equal {
			if bad, err = v.keys(ctx); err != nil { // whatever it was made of
				return r, err
			}
		}
	}
	r.Checkpoint, r.Processes = anew.at.At, len(anew.all())
	if err := v.save(ctx, now, anew, bad); err != nil {
		return r, err
	}
	if anew.unknown {
		return r, fmt.Errorf("rebuild the view %q: events were written that this version of deed does not know, so it is not stored; use the version that wrote them", processesView)
	}
	return r, nil
}

// level brings two lists to the same commit. The last one that a list has seen
// may be truncated before the other comes to it; then one follows that both see.
func level(ctx context.Context, a, b *list) error {
	for a.at.At != b.at.At {
		if err := a.catchUpTo(ctx, b.at.At); err != nil {
			return err
		}
		if err := b.catchUpTo(ctx, a.at.At); err != nil {
			return err
		}
	}
	return nil
}

// difference is the first between two lists; nil: none. What people see of a
// process is compared before what it is made of.
func difference(stored, folded map[string]*listed) (*Difference, error) {
	seen := func(p *listed) any { return p.summary() }
	made := func(p *listed) any { return p }
	for _, id := range sortedKeys(stored, folded) {
		for _, of := range []func(*listed) any{seen, made} {
			was, err := fields(stored[id], of)
			if err != nil {
				return nil, err
			}
			is, err := fields(folded[id], of)
			if err != nil {
				return nil, err
			}
			for _, field := range sortedKeys(was, is) {
				if !bytes.Equal(was[field], is[field]) {
					return &Difference{Process: id, Field: field, Stored: was[field], Events: is[field]}, nil
				}
			}
		}
	}
	return nil, nil
}

func sortedKeys[V any](a, b map[string]V) []string {
	keys := slices.AppendSeq(slices.Collect(maps.Keys(a)), maps.Keys(b))
	slices.Sort(keys)
	return slices.Compact(keys)
}

// fields is the values of a process by their names; of none: none.
func fields(p *listed, of func(*listed) any) (all map[string]json.RawMessage, err error) {
	if p == nil {
		return nil, nil
	}
	encoded, err := json.Marshal(of(p))
	if err == nil {
		err = json.Unmarshal(encoded, &all)
	}
	if err != nil {
		return nil, fmt.Errorf("compare process %q: %w", p.ID, err)
	}
	return all, nil
}
