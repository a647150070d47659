package storetest

import (
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/deedrun/deed/events"
)

func testAppend(t *testing.T, backend Backend) {
	t.Run("the first append makes the stream, and the version counts events", func(t *testing.T) {
		ctx, s := store(t, backend)
		assert.EqualValues(t, 1, must(t, ctx, s, "a", events.NoStream(), "c1", record("x")))
		assert.EqualValues(t, 4, must(t, ctx, s, "a", events.Exactly(1), "c2", numbered(1, 3)...))
		version, err := s.Version(ctx, "a")
		require.NoError(t, err)
		assert.EqualValues(t, 4, version)
	})

	t.Run("a stream that does not exist has version 0", func(t *testing.T) {
		ctx, s := store(t, backend)
		version, err := s.Version(ctx, "nowhere")
		require.NoError(t, err)
		assert.Zero(t, version)
	})

	t.Run("no stream is expected, and there is one: refused", func(t *testing.T) {
		ctx, s := store(t, backend)
		must(t, ctx, s, "a", events.NoStream(), "c1", numbered(1, 2)...)
		_, err := s.Append(ctx, "a", events.NoStream(), "c2", record("x"))
		assert.EqualValues(t, 2, conflict(t, err).Actual)
	})

	t.Run("version 0 is no stream", func(t *testing.T) {
		ctx, s := store(t, backend)
		must(t, ctx, s, "a", events.Exactly(0), "c1", record("x"))
		_, err := s.Append(ctx, "a", events.Exactly(0), "c2", record("x"))
		conflict(t, err)
	})

	t.Run("a version is expected, and there is no stream: refused", func(t *testing.T) {
		ctx, s := store(t, backend)
		_, err := s.Append(ctx, "a", events.Exactly(3), "c1", record("x"))
		assert.Zero(t, conflict(t, err).Actual)
		names, err := s.Streams(ctx, "")
		require.NoError(t, err)
		assert.Empty(t, names, "a refused append makes no stream")
	})

	t.Run("an append to a stream that moved on is refused with both versions, and writes nothing", func(t *testing.T) {
		ctx, s := store(t, backend)
		must(t, ctx, s, "a", events.NoStream(), "c1", numbered(1, 2)...)
		must(t, ctx, s, "a", events.Exactly(2), "c2", numbered(3, 3)...)
		_, err := s.Append(ctx, "a", events.Exactly(2), "c3", record("late"))
		assert.Equal(t, &events.ConflictError{Stream: "a", Expected: events.Exactly(2), Actual: 5}, conflict(t, err))
		assert.Len(t, read(t, ctx, s, "a", 0), 5)
	})

	t.Run("a version ahead of the stream is refused with both versions", func(t *testing.T) {
		ctx, s := store(t, backend)
		must(t, ctx, s, "a", events.NoStream(), "c1", record("x"))
		_, err := s.Append(ctx, "a", events.Exactly(9), "c2", record("y"))
		assert.Equal(t, &events.ConflictError{Stream: "a", Expected: events.Exactly(9), Actual: 1}, conflict(t, err))
	})

	t.Run("a version in the middle of a commit is refused", func(t *testing.T) {
		ctx, s := store(t, backend)
		must(t, ctx, s, "a", events.NoStream(), "c1", numbered(1, 5)...)
		_, err := s.Append(ctx, "a", events.Exactly(3), "c2", record("y"))
		assert.EqualValues(t, 5, conflict(t, err).Actual)
	})

	t.Run("after a conflict the version it reports is accepted", func(t *testing.T) {
		ctx, s := store(t, backend)
		must(t, ctx, s, "a", events.NoStream(), "c1", numbered(1, 5)...)
		_, err := s.Append(ctx, "a", events.NoStream(), "c2", record("y"))
		assert.EqualValues(t, 6, must(t, ctx, s, "a", events.Exactly(conflict(t, err).Actual), "c2", record("y")))
	})

	t.Run("any version: it makes the stream, and follows whatever is there", func(t *testing.T) {
		ctx, s := store(t, backend)
		assert.EqualValues(t, 2, must(t, ctx, s, "a", events.Any(), "c1", numbered(1, 2)...))
		assert.EqualValues(t, 3, must(t, ctx, s, "a", events.Exactly(2), "c2", numbered(3, 1)...))
		assert.EqualValues(t, 4, must(t, ctx, s, "a", events.Any(), "c3", numbered(4, 1)...))
		assert.Equal(t, []string{`{"n":1}`, `{"n":2}`, `{"n":3}`, `{"n":4}`}, data(read(t, ctx, s, "a", 0)))
	})

	t.Run("two stores over one backend fence each other", func(t *testing.T) {
		ctx, open := several(t, backend)
		one, two := open(), open()
		must(t, ctx, one, "a", events.NoStream(), "c1", record("one"))
		_, err := two.Append(ctx, "a", events.NoStream(), "c2", record("two"))
		assert.EqualValues(t, 1, conflict(t, err).Actual)
		must(t, ctx, two, "a", events.Exactly(1), "c2", numbered(1, 3)...)
		_, err = one.Append(ctx, "a", events.Exactly(1), "c3", record("one"))
		assert.EqualValues(t, 4, conflict(t, err).Actual, "what one remembers of the stream is out of date")
		must(t, ctx, one, "a", events.Any(), "c4", record("one"))
		assert.EqualValues(t, 6, must(t, ctx, two, "a", events.Any(), "c5", record("two")))
	})
}

func testRetry(t *testing.T, backend Backend) {
	t.Run("an append repeated because its answer was lost succeeds again and writes nothing", func(t *testing.T) {
		ctx, open := several(t, backend)
		s := open()
		must(t, ctx, s, "a", events.NoStream(), "c1", numbered(1, 2)...)
		for _, again := range []*events.Store{s, open()} {
			assert.EqualValues(t, 2, must(t, ctx, again, "a", events.NoStream(), "c1", numbered(1, 2)...))
		}
		must(t, ctx, s, "a", events.Exactly(2), "c2", numbered(3, 2)...)
		assert.EqualValues(t, 4, must(t, ctx, s, "a", events.Exactly(2), "c2", numbered(3, 2)...))
		assert.Len(t, read(t, ctx, s, "a", 0), 4)
	})

	t.Run("a repeat of a commit that somebody followed is a conflict", func(t *testing.T) {
		ctx, s := store(t, backend)
		must(t, ctx, s, "a", events.NoStream(), "c1", record("x"))
		must(t, ctx, s, "a", events.Exactly(1), "c2", record("y"))
		_, err := s.Append(ctx, "a", events.NoStream(), "c1", record("x"))
		assert.EqualValues(t, 2, conflict(t, err).Actual)
	})

	t.Run("the same commit ID at another version is another append", func(t *testing.T) {
		ctx, s := store(t, backend)
		must(t, ctx, s, "a", events.NoStream(), "c1", record("x"))
		assert.EqualValues(t, 2, must(t, ctx, s, "a", events.Exactly(1), "c1", record("x")))
		_, err := s.Append(ctx, "a", events.NoStream(), "c1", record("x"))
		conflict(t, err)
	})

	t.Run("the same commit ID on another stream is another append", func(t *testing.T) {
		ctx, s := store(t, backend)
		must(t, ctx, s, "a", events.NoStream(), "c1", record("x"))
		must(t, ctx, s, "b", events.NoStream(), "c1", record("x"))
		assert.Len(t, read(t, ctx, s, "b", 0), 1)
	})
}

func testRefused(t *testing.T, backend Backend) {
	t.Run("what cannot be stored is refused before anything is, and the error says what it is", func(t *testing.T) {
		ctx, s := store(t, backend)
		good := record("x")
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
			_, err := s.Append(ctx, c.stream, events.Any(), c.id, c.records...)
			assert.ErrorContains(t, err, says)
			assert.ErrorContains(t, err, "append to stream")
		}
		names, err := s.Streams(ctx, "")
		require.NoError(t, err)
		assert.Empty(t, names)
	})

	t.Run("a commit beyond what the backend takes is too large, and nothing is written", func(t *testing.T) {
		ctx, s := store(t, backend)
		_, err := s.Append(ctx, "a", events.NoStream(), "c1", record("fits"), record(strings.Repeat("x", 8<<20)))
		require.ErrorIs(t, err, events.ErrTooLarge)
		assert.ErrorContains(t, err, `append to stream "a"`)
		must(t, ctx, s, "a", events.NoStream(), "c1", record("fits"))
	})

	t.Run("a context that is over is an error, and nothing is written or read", func(t *testing.T) {
		ctx, s := store(t, backend)
		must(t, ctx, s, "a", events.NoStream(), "c1", record("x"))
		over, cancel := contextOver(ctx)
		defer cancel()
		_, err := s.Append(over, "a", events.Exactly(1), "c2", record("y"))
		require.ErrorIs(t, err, over.Err())
		for _, err := range s.Read(over, "a", 0) {
			require.ErrorIs(t, err, over.Err())
		}
		_, err = s.Version(over, "a")
		require.ErrorIs(t, err, over.Err())
		_, err = s.Streams(over, "")
		require.ErrorIs(t, err, over.Err())
		_, err = s.Subscribe(over, "", 0)
		require.ErrorIs(t, err, over.Err())
		assert.Len(t, read(t, ctx, s, "a", 0), 1)
	})

	t.Run("a stream's name that cannot be is refused by reads as well", func(t *testing.T) {
		ctx, s := store(t, backend)
		_, err := s.Version(ctx, "a b")
		assert.ErrorContains(t, err, "is no name for a stream")
		for _, err := range s.Read(ctx, "a>", 0) {
			assert.ErrorContains(t, err, "is no name for a stream")
		}
		_, err = s.Streams(ctx, "a*")
		assert.ErrorContains(t, err, "begins no stream's name")
		_, err = s.Subscribe(ctx, "a b", 0)
		assert.ErrorContains(t, err, "begins no stream's name")
	})
}
