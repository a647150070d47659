package nats

import (
	"encoding/json"
	"errors"
	"fmt"
	"strconv"

	"github.com/deedrun/deed/events"
)

// An envelope is the stored form of a commit. Names and meaning never change:
//
//	{"id":"…","first":12,"events":[{"type":"…","schema":1,"data":…}, …]}
//
// and "begins":true after "first" if the stream begins with it.
//
// The data of an event stands in it as it is, byte for byte.

// encode writes the envelope of a commit whose data is valid JSON.
func encode(c events.Commit) []byte {
	size := len(c.ID) + 64
	for _, r := range c.Events {
		size += len(r.Type) + len(r.Data) + 48
	}
	b := make([]byte, 0, size)
	b = append(b, `{"id":`...)
	b = appendString(b, c.ID)
	b = append(b, `,"first":`...)
	b = strconv.AppendUint(b, c.First, 10)
	if c.Begins {
		b = append(b, `,"begins":true`...)
	}
	b = append(b, `,"events":[`...)
	for i, r := range c.Events {
		if i > 0 {
			b = append(b, ',')
		}
		b = append(b, `{"type":`...)
		b = appendString(b, r.Type)
		b = append(b, `,"schema":`...)
		b = strconv.AppendInt(b, int64(r.Schema), 10)
		b = append(b, `,"data":`...)
		b = append(b, r.Data...)
		b = append(b, '}')
	}
	return append(b, `]}`...)
}

func appendString(b []byte, s string) []byte {
	for _, c := range []byte(s) {
		if c < ' ' || c > '~' || c == '"' || c == '\\' {
			quoted, _ := json.Marshal(s) // a string always has a JSON form
			return append(b, quoted...)
		}
	}
	b = append(b, '"')
	b = append(b, s...)
	return append(b, '"')
}

// decode reads an envelope, whoever wrote it. Stream and Checkpoint are left
// to the caller.
func decode(data []byte) (events.Commit, error) {
	var env struct {
		ID     string `json:"id"`
		First  uint64 `json:"first"`
		Begins bool   `json:"begins"`
		Events []struct {
			Type   string          `json:"type"`
			Schema int             `json:"schema"`
			Data   json.RawMessage `json:"data"`
		} `json:"events"`
	}
	if err := json.Unmarshal(data, &env); err != nil {
		return events.Commit{}, fmt.Errorf("no commit of an event store: %w", err)
	}
	if env.ID == "" || len(env.Events) == 0 {
		return events.Commit{}, errors.New("no commit of an event store: without an ID or without events")
	}
	if env.First+uint64(len(env.Events)) < env.First {
		return events.Commit{}, fmt.Errorf("no commit of an event store: it begins after event %d", env.First)
	}
	c := events.Commit{ID: env.ID, First: env.First, Begins: env.Begins, Events: make([]events.Record, len(env.Events))}
	for i, e := range env.Events {
		if e.Type == "" || len(e.Data) == 0 {
			return events.Commit{}, fmt.Errorf("no commit of an event store: event %d has no type or no data", i+1)
		}
		c.Events[i] = events.Record{Type: e.Type, Schema: e.Schema, Data: e.Data}
	}
	return c, nil
}

// commit is a message of the log as a commit.
func (d *driver) commit(subject string, seq uint64, data []byte) (events.Commit, error) {
	stream, ok := d.stream(subject)
	if !ok {
		return events.Commit{}, damaged("message %d of %q is on subject %q, which is no stream of events: somebody else publishes there", seq, d.name, subject)
	}
	c, err := decode(data)
	if err != nil {
		return events.Commit{}, damaged("stream %q: message %d of %q: %w: somebody else published there, or the log is damaged", stream, seq, d.name, err)
	}
	c.Stream, c.Checkpoint = stream, events.Checkpoint(seq)
	return c, nil
}

func damaged(format string, args ...any) error {
	return &events.DamagedError{Err: fmt.Errorf(format, args...)}
}
