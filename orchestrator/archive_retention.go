package orchestrator

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/oklog/ulid/v2"

	"github.com/deedrun/deed/events"
	"github.com/deedrun/deed/orchestrator/process"
	"github.com/deedrun/deed/task"
)

// retentionStream holds the settings, as events: who set what, and when.
const retentionStream = "retention"

const (
	retentionSet     = "retention-set"
	retentionUnset   = "retention-unset"
	retentionSchema  = 1
	retentionForAll  = "*"
	retentionNameMax = 256
)

// Retention says how long the processes of a definition are kept, by its name;
// of those without one that of "*".
type Retention struct {
	Name         string        `json:"name"`
	ArchiveAfter task.Duration `json:"archiveAfter"`          // since its end
	RemoveAfter  task.Duration `json:"removeAfter,omitempty"` // since it was archived, or imported, here; 0: never
	process.Asked
	At time.Time `json:"at"`
}

// SetRetention stores a setting, in place of the one that the name has.
func SetRetention(ctx context.Context, store *events.Store, r Retention) error {
	switch {
	case r.Name == "" || len(r.Name) > retentionNameMax:
		return fmt.Errorf("retention: give the name of a definition, or %s for all others", retentionForAll)
	case r.ArchiveAfter <= 0:
		return errors.New("retention: processes are archived some time after their end: more than 0")
	case r.RemoveAfter < 0:
		return errors.New("retention: archives are removed some time after they were made: not less than 0")
	}
	return appendRetention(ctx, store, retentionSet, r)
}

// UnsetRetention takes a setting back; known is false if there is none.
func UnsetRetention(ctx context.Context, store *events.Store, name string, who process.Asked, at time.Time) (known bool, err error) {
	all, err := Retentions(ctx, store)
	if err != nil || !slices.ContainsFunc(all, func(r Retention) bool { return r.Name == name }) {
		return false, err
	}
	return true, appendRetention(ctx, store, retentionUnset, Retention{Name: name, Asked: who, At: at})
}

// appendRetention adds an event. Each stands for itself: whatever came in
// between, the last one holds.
func appendRetention(ctx context.Context, store *events.Store, kind string, r Retention) error {
	data, err := json.Marshal(r)
	if err != nil {
		return err
	}
	commitID := ulid.Make().String()
	for conflicts := 0; ; conflicts++ {
		version, err := store.Version(ctx, retentionStream)
		if err == nil {
			_, err = store.Append(ctx, retentionStream, events.Exactly(version), commitID, events.Record{Type: kind, Schema: retentionSchema, Data: data})
		}
		if !isConflict(err) || conflicts == conflictsInARow {
			return err
		}
	}
}

// Retentions lists the settings, by name.
func Retentions(ctx context.Context, store *events.Store) ([]Retention, error) {
	byName := map[string]Retention{}
	for e, err := range store.Read(ctx, retentionStream, 0) {
		if err != nil {
			return nil, fmt.Errorf("retention: %w", err)
		}
		var r Retention
		if e.Schema != retentionSchema || e.Type != retentionSet && e.Type != retentionUnset {
			return nil, fmt.Errorf("retention: event %d is %s of schema %d, which this version of deed does not know", e.Version, e.Type, e.Schema)
		}
		if err := json.Unmarshal(e.Data, &r); err != nil {
			return nil, fmt.Errorf("retention: event %d: %w", e.Version, err)
		}
		if delete(byName, r.Name); e.Type == retentionSet {
			byName[r.Name] = r
		}
	}
	all := make([]Retention, 0, len(byName))
	for _, r := range byName {
		all = append(all, r)
	}
	slices.SortFunc(all, func(a, b Retention) int { return strings.Compare(a.Name, b.Name) })
	return all, nil
}

// retentionOf is the setting for a name, or that for all others.
func retentionOf(all []Retention, name string) (r Retention, ok bool) {
	for _, setting := range all {
		if setting.Name == name {
			return setting, true
		}
		if setting.Name == retentionForAll {
			r, ok = setting, true
		}
	}
	return r, ok
}
