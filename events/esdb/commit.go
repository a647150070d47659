package esdb

import (
	"encoding/json"
	"fmt"
	"strings"

	"github.com/EventStore/EventStore-Client-Go/v4/esdb"
	"github.com/google/uuid"

	"github.com/deedrun/deed/events"
)

// place is the metadata of an event: where it stands in its commit. Names and
// meaning never change. What begins with $ is EventStoreDB's own vocabulary.
type place struct {
	Commit      string `json:"commit"`
	First       uint64 `json:"first"`            // version of the stream before the commit
	Index       int    `json:"index"`            // of the event in the commit
	Count       int    `json:"count"`            // events of the commit
	Begins      bool   `json:"begins,omitempty"` // the stream begins with the commit
	Schema      int    `json:"schema"`
	Correlation string `json:"$correlationId"` // the stream: all of a process belongs together
	Causation   string `json:"$causationId"`   // the commit again
}

// encode writes a commit as events of the server. size is what its limit for an
// append counts.
func encode(c events.Commit) (list []esdb.EventData, size int, err error) {
	list = make([]esdb.EventData, 0, len(c.Events))
	for e := range c.All() {
		id, err := uuid.Parse(e.ID)
		if err != nil {
			return nil, 0, err
		}
		meta, err := json.Marshal(place{
			Commit: c.ID, First: c.First, Index: len(list), Count: len(c.Events), Begins: c.Begins, Schema: e.Schema,
			Correlation: c.Stream, Causation: c.ID,
		})
		if err != nil {
			return nil, 0, err
		}
		list = append(list, esdb.EventData{EventID: id, EventType: e.Type, ContentType: esdb.ContentTypeJson, Data: e.Data, Metadata: meta})
		size += 2*len(e.Type) + len(e.Data) + len(meta)
	}
	return list, size, nil
}

// placeOf reads the metadata of an event; ok is false if it is none of ours.
func placeOf(e *esdb.RecordedEvent) (p place, ok bool) {
	if err := json.Unmarshal(e.UserMetadata, &p); err != nil {
		return place{}, false
	}
	return p, p.Commit != "" && p.Count > 0 && p.Index >= 0 && p.Index < p.Count
}

// foreign says that an event was put into a stream by the server itself, such
// as the one that marks its deletion.
func foreign(e *esdb.RecordedEvent) bool {
	_, ours := placeOf(e)
	return !ours && strings.HasPrefix(e.EventType, "$")
}

// joiner puts commits together from events in the order of the log. The zero
// joiner expects the first event of a commit.
type joiner struct {
	commit events.Commit
	count  int // events of the commit that is being put together; 0: none
}

// add takes the next event of a stream and returns the commit that it completes,
// if it does.
func (j *joiner) add(stream string, e *esdb.RecordedEvent) (c events.Commit, complete bool, err error) {
	at := fmt.Sprintf("stream %q: event %d", stream, e.EventNumber+1)
	p, ok := placeOf(e)
	switch {
	case !ok || len(e.Data) == 0 || e.EventType == "":
		return events.Commit{}, false, damaged("%s is no event of a commit: somebody else writes to this stream, or the log is damaged", at)
	case e.EventNumber != p.First+uint64(p.Index):
		return events.Commit{}, false, damaged("%s was written as event %d: the stream was deleted and written again, or copied: restore it from a copy", at, p.First+uint64(p.Index)+1)
	case j.count == 0 && p.Index > 0:
		return events.Commit{}, false, damaged("%s: the beginning of commit %q is missing: the stored history is damaged; restore it from a copy", at, p.Commit)
	case j.count > 0 && (stream != j.commit.Stream || p.Commit != j.commit.ID || p.First != j.commit.First || p.Count != j.count || p.Index != len(j.commit.Events)):
		return events.Commit{}, false, j.torn()
	}
	if j.count == 0 {
		j.count = p.Count
		j.commit = events.Commit{ID: p.Commit, Stream: stream, First: p.First, Begins: p.Begins, Events: make([]events.Record, 0, min(p.Count, 4096))}
	}
	j.commit.Events = append(j.commit.Events, events.Record{Type: e.EventType, Schema: p.Schema, Data: e.Data})
	if len(j.commit.Events) < j.count {
		return events.Commit{}, false, nil
	}
	c = j.commit
	c.Checkpoint = events.Checkpoint(e.Position.Commit)
	*j = joiner{}
	return c, true, nil
}

// torn is the error when what comes next does not belong to the commit that is
// being put together; nil if there is none.
func (j *joiner) torn() error {
	if j.count == 0 {
		return nil
	}
	return damaged("stream %q: commit %q has %d events, of which only %d are there: the stored history is damaged; restore it from a copy",
		j.commit.Stream, j.commit.ID, j.count, len(j.commit.Events))
}
