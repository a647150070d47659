package wire

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"strconv"

	"github.com/deedrun/deed/events"
)

// LinesType is the media type of a stream of lines, each a JSON object.
const LinesType = "application/x-ndjson"

// Line is a line of a stream of commits. One of the fields is set, or none: such
// a line says that the server is still there. A stream that ends without End
// was cut off.
type Line struct {
	Commit   *events.Commit
	CaughtUp bool     // what was stored when the stream was opened has been given
	End      bool     // there is no more
	Problem  *Problem // there is more, and it cannot be given
}

// AppendCommit appends the line of a commit. The data of events stands in it as
// it is, byte for byte; data that has lines of its own is encoded.
func AppendCommit(b []byte, c events.Commit) []byte {
	b = append(b, `{"commit":{"id":`...)
	b = appendString(b, c.ID)
	b = append(b, `,"stream":`...)
	b = appendString(b, c.Stream)
	b = append(b, `,"first":`...)
	b = strconv.AppendUint(b, c.First, 10)
	if c.Begins {
		b = append(b, `,"begins":true`...)
	}
	b = append(b, `,"checkpoint":`...)
	b = strconv.AppendUint(b, uint64(c.Checkpoint), 10)
	b = append(b, `,"events":[`...)
	for i, r := range c.Events {
		if i > 0 {
			b = append(b, ',')
		}
		b = append(b, `{"type":`...)
		b = appendString(b, r.Type)
		b = append(b, `,"schema":`...)
		b = strconv.AppendInt(b, int64(r.Schema), 10)
		if bytes.ContainsAny(r.Data, "\n\r") || !json.Valid(r.Data) {
			encoded, _ := json.Marshal(r.Data) // bytes always have a JSON form
			b = append(append(b, `,"bytes":`...), encoded...)
		} else {
			b = append(append(b, `,"data":`...), r.Data...)
		}
		b = append(b, '}')
	}
	return append(b, "]}}\n"...)
}

func appendString(b []byte, s string) []byte {
	quoted, _ := json.Marshal(s) // a string always has a JSON form
	return append(b, quoted...)
}

// The lines that say one thing.
var (
	LineAlive    = []byte("{}\n")
	LineCaughtUp = []byte(`{"caughtUp":true}` + "\n")
	LineEnd      = []byte(`{"end":true}` + "\n")
)

// AppendProblem appends the line of a problem.
func AppendProblem(b []byte, p *Problem) []byte {
	line, err := json.Marshal(map[string]*Problem{"problem": p})
	if err != nil {
		line = []byte(`{"problem":{"status":500,"code":"` + CodeInternal + `","detail":"a problem that has no JSON form"}}`)
	}
	return append(append(b, line...), '\n')
}

// ParseLine reads a line. What it does not know, it ignores.
func ParseLine(data []byte) (Line, error) {
	var l struct {
		Commit *struct {
			ID         string `json:"id"`
			Stream     string `json:"stream"`
			First      uint64 `json:"first"`
			Begins     bool   `json:"begins"`
			Checkpoint uint64 `json:"checkpoint"`
			Events     []struct {
				Type   string          `json:"type"`
				Schema int             `json:"schema"`
				Data   json.RawMessage `json:"data"`
				Bytes  []byte          `json:"bytes"`
			} `json:"events"`
		} `json:"commit"`
		CaughtUp bool     `json:"caughtUp"`
		End      bool     `json:"end"`
		Problem  *Problem `json:"problem"`
	}
	if err := json.Unmarshal(data, &l); err != nil {
		return Line{}, fmt.Errorf("a line of a stream that cannot be read: %w", err)
	}
	line := Line{CaughtUp: l.CaughtUp, End: l.End, Problem: l.Problem}
	if l.Commit == nil {
		return line, nil
	}
	c := &events.Commit{ID: l.Commit.ID, Stream: l.Commit.Stream, First: l.Commit.First, Begins: l.Commit.Begins, Checkpoint: events.Checkpoint(l.Commit.Checkpoint)}
	if c.Version() < c.First || c.Stream == "" {
		return Line{}, errors.New("a line of a stream that cannot be read: a commit of no stream")
	}
	for _, e := range l.Commit.Events {
		r := events.Record{Type: e.Type, Schema: e.Schema, Data: e.Data}
		if e.Bytes != nil {
			r.Data = e.Bytes
		}
		c.Events = append(c.Events, r)
	}
	line.Commit = c
	return line, nil
}
