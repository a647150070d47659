package orchestrator

import (
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"
)

// viewSchema is the form of stored views and the meaning of what is in them.
// It rises when either changes, also when the list counts something in another
// way: what was stored before is then passed over.
const viewSchema = 2

// storedView is the bytes of the list of processes, with the place that it has
// read up to: together, so that neither is ever ahead of the other.
type storedView struct {
	View      string    `json:"view"`
	Schema    int       `json:"schema"`
	StoredAt  time.Time `json:"storedAt"`
	Place     place     `json:"place"`
	Processes []*listed `json:"processes"` // by ID
}

// processes lists what the list holds, by ID.
func (l *list) processes() []*listed {
	return slices.SortedFunc(maps.Values(l.byID), func(a, b *listed) int { return strings.Compare(a.ID, b.ID) })
}

// encode is the sealed bytes of the list.
func (l *list) encode(now time.Time) ([]byte, error) {
	body, err := json.Marshal(storedView{View: processesView, Schema: viewSchema, StoredAt: now.UTC(), Place: l.at, Processes: l.processes()})
	if err != nil {
		return nil, fmt.Errorf("encode the list of processes: %w", err)
	}
	return seal(l.at.Commit, body), nil
}

// decodeView reads what encode wrote, and nothing else.
func decodeView(data []byte) (storedView, map[string]*listed, error) {
	var v storedView
	commitID, body, err := unseal(data)
	if err != nil {
		return v, nil, err
	}
	if err := json.Unmarshal(body, &v); err != nil {
		return v, nil, fmt.Errorf("it cannot be read: %w", err)
	}
	if v.View != processesView || v.Schema != viewSchema || v.Place.Commit != commitID {
		return v, nil, fmt.Errorf("it is the view %q of schema %d, this version of deed reads %q of schema %d", clipID(v.View), v.Schema, processesView, viewSchema)
	}
	byID := make(map[string]*listed, len(v.Processes))
	for _, p := range v.Processes {
		if p == nil {
			return v, nil, errors.New("it lists a process that is none")
		}
		if p.Started == nil {
			p.Started = map[string]listedStep{}
		}
		byID[p.ID] = p
	}
	return v, byID, nil
}
