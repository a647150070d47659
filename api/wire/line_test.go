package wire_test

import (
	"bytes"
	"encoding/json"
	"fmt"
	"testing"

	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"

	"github.com/deedrun/deed/api/wire"
	"github.com/deedrun/deed/events"
)

func TestACommitComesBackAsItWasByteForByteOnOneLine(t *testing.T) {
	texts := []string{`{"b":1,"a":2,"a":3}`, "[\n\t1\n]", `"naïve \u2028 <b>&amp;</b>"`, `12345678901234567890`, `null`, `{ "spaced" : [ 1 ] }`, "\"\u2028\""}
	rapid.Check(t, func(t *rapid.T) {
		c := events.Commit{
			ID:         rapid.StringN(1, 20, 80).Draw(t, "id"),
			Stream:     rapid.StringMatching(`[a-z][a-z0-9._-]{0,20}`).Draw(t, "stream"),
			First:      rapid.Uint64Range(0, 1<<60).Draw(t, "first"),
			Begins:     rapid.Bool().Draw(t, "begins"),
			Checkpoint: events.Checkpoint(rapid.Uint64().Draw(t, "checkpoint")),
		}
		for range rapid.IntRange(0, 3).Draw(t, "events") { // a damaged stream has an end without events
			c.Events = append(c.Events, events.Record{
				Type: rapid.StringN(1, 20, 80).Draw(t, "type"), Schema: rapid.Int().Draw(t, "schema"),
				Data: []byte(rapid.SampledFrom(texts).Draw(t, "data")),
			})
		}
		line := wire.AppendCommit(nil, c)
		require.Equal(t, 1, bytes.Count(line, []byte("\n")))
		require.True(t, json.Valid(line), "%s", line)
		got, err := wire.ParseLine(line)
		require.NoError(t, err)
		require.Equal(t, c, *got.Commit)
	})
}

func TestALineOfALaterVersionIsReadAsFarAsItIsKnown(t *testing.T) {
	line, err := wire.ParseLine([]byte(`{"weather": "fine"}`))
	require.NoError(t, err)
	require.Equal(t, wire.Line{}, line, "it says that the server is there")
	line, err = wire.ParseLine([]byte(`{"commit": {"id": "c", "stream": "s", "first": 2, "colour": "red", "events": [{"type": "t", "data": 1, "size": 3}]}}`))
	require.NoError(t, err)
	require.Equal(t, uint64(3), line.Commit.Version())
}

func TestAProblemSaysWhichPartsOfTheRequestItIsAbout(t *testing.T) {
	p := &wire.Problem{Detail: "not as it has to be", Errors: []wire.Invalid{{Where: "body.id", Message: "too long"}, {Message: "and more"}}}
	require.EqualError(t, p, "not as it has to be: body.id: too long; and more")
}

func FuzzParseLine(f *testing.F) {
	f.Add(wire.AppendCommit(nil, events.Commit{ID: "c", Stream: "s", Events: []events.Record{{Type: "t", Data: []byte("1")}}}))
	f.Add(wire.AppendProblem(nil, &wire.Problem{Code: wire.CodeDamaged}))
	f.Add(wire.LineEnd)
	f.Add(fmt.Append(nil, `{"commit":{"id":"c","stream":"s","first":18446744073709551615,"events":[{}]}}`))
	f.Fuzz(func(t *testing.T, data []byte) {
		line, err := wire.ParseLine(data)
		if err != nil || line.Commit == nil {
			return
		}
		again, err := wire.ParseLine(wire.AppendCommit(nil, *line.Commit))
		require.NoError(t, err)
		require.Equal(t, line.Commit.Version(), again.Commit.Version())
	})
}
