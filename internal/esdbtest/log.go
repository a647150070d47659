package esdbtest

import (
	"encoding/json"
	"strings"
	"sync"
	"time"

	"github.com/EventStore/EventStore-Client-Go/v4/protos/shared"
)

// record is one event of the log. Nothing changes it.
type record struct {
	id       [2]int64
	stream   string
	revision uint64
	position uint64
	metadata map[string]string
	custom   []byte
	data     []byte
}

// stream is the records with one name.
type stream struct {
	records []*record
	first   int  // those before are deleted softly
	gone    bool // deleted for good
}

// log holds all records in one order.
type log struct {
	now func() time.Time

	mu      sync.Mutex
	records []*record
	streams map[string]*stream
	end     uint64        // the position of the next record
	changed chan struct{} // closed and replaced by every write
}

// newLog is a log that holds, as that of a real server does, something that is
// none of a user's.
func newLog(now func() time.Time) *log {
	l := &log{now: now, streams: map[string]*stream{}, changed: make(chan struct{})}
	l.write("$server", []*record{{metadata: map[string]string{"type": "$started", "content-type": "application/json"}, data: []byte(`{}`)}})
	return l
}

// Expectations other than a revision.
const (
	expectAny int64 = -1 - iota
	expectNone
	expectSome
)

type outcome struct {
	revision, position uint64
	wrong              bool  // nothing was written
	current            int64 // the last revision when wrong; -1: no stream
	deleted            bool
}

// append writes the records if the stream is as expected. What is there already,
// with the same IDs at the same place, is not written again.
func (l *log) append(name string, expected int64, list []*record) outcome {
	l.mu.Lock()
	defer l.mu.Unlock()
	s := l.streams[name]
	if s == nil {
		s = &stream{}
	}
	last := int64(len(s.records)) - 1
	empty := len(s.records) == s.first
	switch {
	case s.gone:
		return outcome{deleted: true}
	case expected >= 0 && expected == last, expected == expectNone && empty, expected == expectSome && !empty:
		return l.write(name, list)
	case expected == expectAny:
		for at, r := range s.records {
			if len(list) > 0 && r.id == list[0].id {
				if done, ok := repeated(s.records[at:], list); ok {
					return done
				}
			}
		}
		return l.write(name, list)
	case expected == expectNone, expected >= 0 && expected < last:
		from := max(0, expected+1)
		if done, ok := repeated(s.records[from:], list); ok {
			return done
		}
	}
	if empty {
		last = -1
	}
	return outcome{wrong: true, current: last}
}

// repeated says that the records are those that were written before.
func repeated(there, list []*record) (outcome, bool) {
	if len(list) == 0 || len(there) < len(list) {
		return outcome{}, false
	}
	for i, r := range list {
		if r.id != there[i].id {
			return outcome{}, false
		}
	}
	last := there[len(list)-1]
	return outcome{revision: last.revision, position: last.position}, true
}

func (l *log) write(name string, list []*record) outcome {
	s := l.streams[name]
	if s == nil {
		s = &stream{}
		l.streams[name] = s
	}
	var done outcome
	for _, r := range list {
		r.stream, r.revision, r.position = name, uint64(len(s.records)), l.end
		r.metadata["created"] = ticks(l.now())
		s.records, l.records = append(s.records, r), append(l.records, r)
		l.end += uint64(64 + len(r.data) + len(r.custom))
		done = outcome{revision: r.revision, position: r.position}
	}
	l.truncate(name, list)
	close(l.changed)
	l.changed = make(chan struct{})
	return done
}

// truncate hides what the metadata of a stream says are its old records.
func (l *log) truncate(name string, written []*record) {
	of, isMetadata := strings.CutPrefix(name, "$$")
	s := l.streams[of]
	if !isMetadata || s == nil || len(written) == 0 {
		return
	}
	var meta struct {
		Before int `json:"$tb"`
	}
	if json.Unmarshal(written[len(written)-1].data, &meta) == nil {
		s.first = max(0, min(meta.Before, len(s.records)))
	}
}

// remove deletes a stream: softly, so that it goes on behind what was there, or
// for good.
func (l *log) remove(name string, forGood bool) outcome {
	l.mu.Lock()
	defer l.mu.Unlock()
	s := l.streams[name]
	switch {
	case s == nil || !forGood && len(s.records) == s.first:
		return outcome{wrong: true, current: -1}
	case s.gone:
		return outcome{deleted: true}
	case forGood:
		done := l.write(name, []*record{{metadata: map[string]string{"type": "$streamDeleted", "content-type": "application/octet-stream"}}})
		s.gone = true
		return done
	}
	return l.write("$$"+name, []*record{{
		metadata: map[string]string{"type": "$metadata", "content-type": "application/json"}, data: []byte(`{"$tb":9223372036854775807}`),
	}})
}

// all is the log as it is now, and what closes when there is more.
func (l *log) all() ([]*record, <-chan struct{}) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.records, l.changed // only ever appended to, so this part of it is the caller's to read
}

// of is a stream as it is now.
func (l *log) of(name string) (list []*record, first int, gone bool) {
	l.mu.Lock()
	defer l.mu.Unlock()
	s := l.streams[name]
	if s == nil {
		return nil, 0, false
	}
	return s.records, s.first, s.gone
}

func ids(id *shared.UUID) ([2]int64, bool) {
	s := id.GetStructured()
	if s == nil {
		return [2]int64{}, false
	}
	return [2]int64{s.GetMostSignificantBits(), s.GetLeastSignificantBits()}, true
}
