package events_test

import (
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/deedrun/deed/events"
	"github.com/deedrun/deed/events/mem"
)

func TestWhatCannotBeStoredIsRefusedBeforeAnythingIsAndTheErrorSaysWhatItIs(t *testing.T) {
	s := events.New(mem.New())
	good := note("x")
	for says, c := range map[string]struct {
		stream, id string
		records    []events.Record
	}{
		`"" is no name for a stream`:          {"", "c", []events.Record{good}},
		`"-a" is no name for a stream`:        {"-a", "c", []events.Record{good}},
		`"A" is no name for a stream`:         {"A", "c", []events.Record{good}},
		`"a b" is no name for a stream`:       {"a b", "c", []events.Record{good}},
		`"a*" is no name for a stream`:        {"a*", "c", []events.Record{good}},
		`"a/b" is no name for a stream`:       {"a/b", "c", []events.Record{good}},
		"is no name for a stream: use 1":      {strings.Repeat("a", 129), "c", []events.Record{good}},
		"the commit ID is empty":              {"a", "", []events.Record{good}},
		"is longer than 256 bytes":            {"a", strings.Repeat("c", 257), []events.Record{good}},
		"is not UTF-8":                        {"a", "c\xff", []events.Record{good}},
		"no events given":                     {"a", "c", nil},
		"event 2 of 2: the type is empty":     {"a", "c", []events.Record{good, {Data: []byte("1")}}},
		`event 1 of 1 ("T"): its data is not`: {"a", "c", []events.Record{{Type: "T"}}},
		`is not JSON: "{\"half\":"`:           {"a", "c", []events.Record{{Type: "T", Data: []byte(`{"half":`)}}},
	} {
		_, err := s.Append(t.Context(), c.stream, events.Any(), c.id, c.records...)
		assert.ErrorContains(t, err, says)
		assert.ErrorContains(t, err, "append to stream")
	}
	names, err := s.Streams(t.Context(), "")
	require.NoError(t, err)
	assert.Empty(t, names)
}

func TestANameThatCannotBeIsRefusedByReadsAsWell(t *testing.T) {
	s := events.New(mem.New())
	_, err := s.Version(t.Context(), "a b")
	assert.ErrorContains(t, err, "is no name for a stream")
	_, _, err = s.Last(t.Context(), "A")
	assert.ErrorContains(t, err, "is no name for a stream")
	count := 0
	for _, err := range s.Read(t.Context(), "a>", 0) {
		assert.ErrorContains(t, err, "is no name for a stream")
		count++
	}
	assert.Equal(t, 1, count)
	_, err = s.Streams(t.Context(), "a*")
	assert.ErrorContains(t, err, "begins no stream's name")
	_, err = s.Subscribe(t.Context(), "a b", 0)
	assert.ErrorContains(t, err, "begins no stream's name")
}

func TestWhiteSpaceAroundTheDataIsNotKept(t *testing.T) {
	s := events.New(mem.New())
	_, err := s.Append(t.Context(), "a", events.NoStream(), "c", events.Record{Type: "T", Data: []byte(" \n{ } \t")})
	require.NoError(t, err)
	for e, err := range s.Read(t.Context(), "a", 0) {
		require.NoError(t, err)
		assert.Equal(t, "{ }", string(e.Data))
	}
}
