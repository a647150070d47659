package orchestrator

import (
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"hash"
	"maps"
	"slices"
	"strings"

	"github.com/deedrun/deed/events"
	"github.com/deedrun/deed/orchestrator/process"
	"github.com/deedrun/deed/task"
)

// story is what a whole history says: what is written into an archive, and
// what is found in one.
type story struct {
	state   process.State
	summary Summary
	digest  string // SHA-256 of the commits, as lines
	size    int64  // of these lines
	commits int
}

// storyteller makes a story of commits, one at a time.
type storyteller struct {
	story
	list *listed
	fold folding
	next uint64
	hash hash.Hash
}

func newStoryteller(id string) *storyteller {
	return &storyteller{list: newListed(Summary{ID: id}), hash: sha256.New()}
}

// add takes in the next commit and its line.
func (t *storyteller) add(c events.Commit, line []byte) error {
	if c.First != t.next || len(c.Events) == 0 {
		return fmt.Errorf("commit %q holds events %d to %d where event %d comes next", c.ID, c.First+1, c.Version(), t.next+1)
	}
	t.next = c.Version()
	for e := range c.All() {
		event, err := decode(e.Record)
		if err != nil {
			return fmt.Errorf("event %d: %w", e.Version, err)
		}
		t.list.apply(event)
		t.fold.add(event)
	}
	t.hash.Write(line)
	t.size += int64(len(line))
	t.commits++
	return nil
}

// end is the story, once all commits are in. It has to be a whole one.
func (t *storyteller) end() (story, error) {
	t.state = t.fold.end()
	t.summary, t.digest = t.list.summary(), hex.EncodeToString(t.hash.Sum(nil))
	if err := t.state.Damage(); err != nil {
		return t.story, err
	}
	if t.summary.ID != t.state.ID {
		return t.story, fmt.Errorf("the history is of process %q, not of %q", clipID(t.state.ID), clipID(t.summary.ID))
	}
	return t.story, nil
}

// manifests lists the lists of parts that the story refers to, by key.
func (s story) manifests() []task.Ref {
	byKey := map[string]task.Ref{}
	add := func(m *task.Manifest) {
		if m != nil {
			byKey[m.Key] = m.Ref
		}
	}
	held := s.state.Held()
	for _, d := range held.Data {
		add(d.Manifest)
	}
	for _, source := range held.Reported {
		add(source.Merged)
		if source.Report != nil {
			byKey[source.Report.Key] = *source.Report
		}
	}
	return slices.SortedFunc(maps.Values(byKey), func(a, b task.Ref) int { return strings.Compare(a.Key, b.Key) })
}

// archivedCommit is a commit as a line of an archive.
type archivedCommit struct {
	ID     string          `json:"id"`
	First  uint64          `json:"first"` // events before it
	Events []archivedEvent `json:"events"`
}

type archivedEvent struct {
	Type   string          `json:"type"`
	Schema int             `json:"schema"`
	Data   json.RawMessage `json:"data"`
}

func encodeCommit(c events.Commit) ([]byte, error) {
	a := archivedCommit{ID: c.ID, First: c.First, Events: make([]archivedEvent, len(c.Events))}
	for i, r := range c.Events {
		a.Events[i] = archivedEvent{Type: r.Type, Schema: r.Schema, Data: r.Data}
	}
	return encodeLine(a)
}

func decodeCommit(line []byte) (events.Commit, error) {
	var a archivedCommit
	if err := decodeStrictly(line, &a); err != nil {
		return events.Commit{}, err
	}
	c := events.Commit{ID: a.ID, First: a.First, Events: make([]events.Record, len(a.Events))}
	for i, e := range a.Events {
		c.Events[i] = events.Record{Type: e.Type, Schema: e.Schema, Data: e.Data}
	}
	return c, nil
}

// encodeLine is a value as JSON in one line, its text unescaped.
func encodeLine(v any) ([]byte, error) {
	var b bytes.Buffer
	enc := json.NewEncoder(&b)
	enc.SetEscapeHTML(false)
	err := enc.Encode(v)
	return b.Bytes(), err
}

// decodeStrictly reads JSON in which nothing is unknown: an archive in which
// something is was not written by this version.
func decodeStrictly(data []byte, v any) error {
	dec := json.NewDecoder(bytes.NewReader(data))
	dec.DisallowUnknownFields()
	if err := dec.Decode(v); err != nil {
		return err
	}
	if dec.More() {
		return errors.New("something follows it")
	}
	return nil
}
