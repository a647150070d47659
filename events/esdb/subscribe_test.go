package esdb_test

import (
	"context"
	"fmt"
	"log/slog"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	client "github.com/EventStore/EventStore-Client-Go/v4/esdb"

	"github.com/deedrun/deed/events"
	"github.com/deedrun/deed/events/esdb"
	"github.com/deedrun/deed/internal/esdbtest"
)

func TestASubscriptionThatIsCutGoesOnWithoutGapOrRepeat(t *testing.T) {
	server := start(t, esdbtest.Options{})
	s := open(t, server.URL())
	var want []string
	write := func(i int) {
		stream := fmt.Sprintf("s%d", i%2)
		version, err := s.Append(soon(t), stream, events.Exactly(uint64(i/2*3)), fmt.Sprint(i), notes(3)...)
		require.NoError(t, err)
		want = append(want, fmt.Sprintf("%s %d %d-%d", stream, i, version-2, version))
	}
	for i := range 4 {
		write(i)
	}
	sub := subscribe(t, s, "s", 0)
	got := take(t, sub, 4)
	server.Next(esdbtest.Subscribe, esdbtest.CutAfter, esdbtest.CutBefore, esdbtest.NotReady, esdbtest.CutAfter) // after one event of three
	for i := range 4 {
		server.Cut()
		write(4 + i)
		got = append(got, take(t, sub, 1)...)
	}
	require.NoError(t, server.Restart())
	for i := range 3 {
		write(8 + i)
	}
	assert.Equal(t, want, append(got, take(t, sub, 3)...))
	_, ready, err := sub.Next(soon(t), false)
	require.NoError(t, err)
	assert.False(t, ready)
}

func TestACommitThatIsCutInTheMiddleIsFedWhole(t *testing.T) {
	server := start(t, esdbtest.Options{})
	s := open(t, server.URL())
	for i := range uint64(2) {
		_, err := s.Append(soon(t), "a", events.Exactly(2500*i), fmt.Sprint(i), notes(2500)...)
		require.NoError(t, err)
	}
	server.Next(esdbtest.Subscribe, esdbtest.CutAfterEvents(1700), esdbtest.CutAfterEvents(4100), esdbtest.CutAfterEvents(2499))
	sub := subscribe(t, s, "a", 0) // the server says how far it is every 1000 events
	assert.Equal(t, []string{"a 0 1-2500", "a 1 2501-5000"}, take(t, sub, 2))
	assert.Equal(t, 4, server.Calls(esdbtest.Subscribe))
}

func TestASubscriptionAsksForWhatItHasNotSeenAndHandsOverNothingElse(t *testing.T) {
	server := start(t, esdbtest.Options{})
	s := open(t, server.URL())
	var last events.Commit
	for i := range uint64(20) {
		_, err := s.Append(soon(t), "a", events.Exactly(i), fmt.Sprint(i), note("x"))
		require.NoError(t, err)
		if i == 18 {
			last, _, err = s.Last(soon(t), "a")
			require.NoError(t, err)
		}
	}
	sub := subscribe(t, s, "a", last.Checkpoint)
	assert.Equal(t, []string{"a 19 20-20"}, take(t, sub, 1))
	assert.Equal(t, 1, server.Fed())
	server.Next(esdbtest.Subscribe, esdbtest.Repeat)
	server.Cut()
	_, err := s.Append(soon(t), "a", events.Exactly(20), "20", note("x"))
	require.NoError(t, err)
	assert.Equal(t, []string{"a 20 21-21"}, take(t, sub, 1))
	assert.Equal(t, 22, server.Fed())
}

func TestASubscriptionSurvivesAnOutageAndEndsInOne(t *testing.T) {
	server := start(t, esdbtest.Options{})
	s := open(t, server.URL(), "maxDiscoverAttempts=2")
	_, err := s.Append(soon(t), "a", events.NoStream(), "c1", note("x"))
	require.NoError(t, err)
	sub, ending := subscribe(t, s, "", 0), subscribe(t, s, "", 0)
	take(t, sub, 1)
	take(t, ending, 1)
	server.Stop()
	_, err = s.Append(soon(t), "a", events.Exactly(1), "c2", note("y"))
	require.ErrorIs(t, err, events.ErrUnavailable)
	assert.ErrorContains(t, err, "check that it runs")
	ending.Stop()
	_, _, err = ending.Next(soon(t), true)
	require.ErrorIs(t, err, events.ErrStopped)
	require.NoError(t, server.Restart())
	_, err = s.Append(soon(t), "a", events.Exactly(1), "c2", note("y"))
	require.NoError(t, err)
	assert.Equal(t, []string{"a c2 2-2"}, take(t, sub, 1))
}

func TestAStretchThatDoesNotConcernASubscriptionIsNotSearchedAgain(t *testing.T) {
	server := start(t, esdbtest.Options{})
	after := make(chan uint64, 1000)
	d, err := esdb.Open(soon(t), server.URL(), esdb.Options{Log: slog.New(attributes{"after", func(v slog.Value) { after <- v.Uint64() }})})
	require.NoError(t, err)
	s := events.New(d)
	t.Cleanup(func() { require.NoError(t, s.Close()) })
	_, err = s.Append(soon(t), "mine", events.NoStream(), "c1", note("x"))
	require.NoError(t, err)
	sub := subscribe(t, s, "mine", 0)
	c, _, err := sub.Next(soon(t), true)
	require.NoError(t, err)
	for i := range 3 {
		_, err = s.Append(soon(t), "other", events.Any(), fmt.Sprint(i), notes(1000)...)
		require.NoError(t, err)
	}
	deadline := time.After(patience)
	for at := uint64(0); at <= uint64(c.Checkpoint); { // until it heard what the server says of the stretch
		server.Cut()
		select {
		case at = <-after:
		case <-deadline:
			t.Fatal("it would begin again before the stretch")
		}
	}
	_, err = s.Append(soon(t), "mine", events.Exactly(1), "c2", note("y"))
	require.NoError(t, err)
	assert.Equal(t, []string{"mine c2 2-2"}, take(t, sub, 1))
}

// attributes is a log of which one attribute matters.
type attributes struct {
	name string
	seen func(slog.Value)
}

func (a attributes) Enabled(context.Context, slog.Level) bool { return true }
func (a attributes) WithAttrs([]slog.Attr) slog.Handler       { return a }
func (a attributes) WithGroup(string) slog.Handler            { return a }

func (a attributes) Handle(_ context.Context, r slog.Record) error {
	r.Attrs(func(attr slog.Attr) bool {
		if attr.Key == a.name {
			a.seen(attr.Value)
		}
		return true
	})
	return nil
}

func TestUnderRestartsAndCutsNothingIsLostDoubledOrOutOfOrder(t *testing.T) {
	server := start(t, esdbtest.Options{})
	const writers, each = 4, 60
	reader := open(t, server.URL())
	sub := subscribe(t, reader, "w", 0)

	var wg sync.WaitGroup
	for w := range writers {
		s := open(t, server.URL())
		wg.Go(func() {
			stream := fmt.Sprintf("w%d", w)
			for i := range each {
				for {
					version, err := s.Append(soon(t), stream, events.Exactly(uint64(2*i)), fmt.Sprint(i), notes(2)...)
					if err == nil {
						assert.EqualValues(t, 2*i+2, version)
						break
					}
					if !assert.ErrorIs(t, err, events.ErrUnavailable) {
						return
					}
				}
			}
		})
	}
	done := make(chan struct{})
	go func() { wg.Wait(); close(done) }()
	seen := map[string]uint64{}
	ctx := soon(t)
	for n := range writers * each {
		switch {
		case n%40 == 39:
			require.NoError(t, server.Restart())
		case n%15 == 7:
			server.Cut()
		case n%15 == 11:
			server.Next(esdbtest.Append, esdbtest.CutAfter, esdbtest.CutBefore, esdbtest.CutAfter)
		}
		c, _, err := sub.Next(ctx, true)
		require.NoError(t, err)
		require.Equal(t, seen[c.Stream], c.First, c.Stream)
		seen[c.Stream] = c.Version()
	}
	<-done
	for w := range writers {
		stream := fmt.Sprintf("w%d", w)
		assert.EqualValues(t, 2*each, seen[stream])
		assert.Len(t, stored(t, reader, stream), each)
	}
	_, ready, err := sub.Next(ctx, false)
	require.NoError(t, err)
	assert.False(t, ready)
}

func TestWhatIsNoCommitIsDamageAndSaysWhere(t *testing.T) {
	server := start(t, esdbtest.Options{})
	s := open(t, server.URL())
	raw := other(t, server.URL())
	for name, c := range map[string]struct {
		meta []string
		says string
	}{
		"foreign":   {[]string{`{}`}, `stream "foreign": event 1 is no event of a commit: somebody else writes to this stream`},
		"textual":   {[]string{`hello`}, `stream "textual": event 1 is no event of a commit`},
		"half":      {[]string{`{"commit":"c1","first":0,"index":0,"count":3}`, `{"commit":"c1","first":0,"index":1,"count":3}`}, `commit "c1" has 3 events, of which only 2 are there`},
		"mixed":     {[]string{`{"commit":"c1","first":0,"index":0,"count":2}`, `{"commit":"c2","first":1,"index":0,"count":1}`}, `commit "c1" has 2 events, of which only 1 are there`},
		"beginning": {[]string{`{"commit":"c1","first":0,"index":0,"count":1}`, `{"commit":"c2","first":0,"index":1,"count":2}`}, `event 2: the beginning of commit "c2" is missing`},
		"numbered":  {[]string{`{"commit":"c1","first":7,"index":0,"count":1}`}, `event 1 was written as event 8`},
		"countless": {[]string{`{"commit":"c1","first":0,"index":0,"count":-1}`}, `is no event of a commit`},
	} {
		t.Run(name, func(t *testing.T) {
			var list []client.EventData
			for _, m := range c.meta {
				list = append(list, client.EventData{EventType: "T", Data: []byte(`{}`), Metadata: []byte(m)})
			}
			put(t, raw, name, list...)
			var failed error
			for _, err := range s.Read(soon(t), name, 0) {
				failed = err
			}
			require.ErrorContains(t, failed, c.says)
			assert.NotErrorIs(t, failed, events.ErrUnavailable)
			_, err := s.Version(soon(t), name)
			if name != "mixed" { // its last event is a commit
				require.Error(t, err)
			}
			if name == "half" {
				put(t, raw, name, client.EventData{EventType: "T", Data: []byte(`{}`), Metadata: []byte(`{"commit":"c9","first":2,"index":0,"count":1}`)})
			}
			sub := subscribe(t, s, name, 0)
			for failed = nil; failed == nil; {
				_, _, failed = sub.Next(soon(t), true)
			}
			require.ErrorContains(t, failed, c.says)
		})
	}
}

func TestACommitLargerThanAPageIsReadWhole(t *testing.T) {
	server := start(t, esdbtest.Options{})
	s := open(t, server.URL())
	_, err := s.Append(soon(t), "a", events.NoStream(), "c1", notes(700)...)
	require.NoError(t, err)
	_, err = s.Append(soon(t), "a", events.Exactly(700), "c2", notes(2500)...)
	require.NoError(t, err)
	_, err = s.Append(soon(t), "a", events.Exactly(3200), "c3", notes(2)...)
	require.NoError(t, err)
	assert.Equal(t, []string{"a c1 1-700", "a c2 701-3200", "a c3 3201-3202"}, stored(t, s, "a"))
	for _, after := range []uint64{700, 701, 1999, 3199} {
		for c, err := range s.ReadCommits(soon(t), "a", after) {
			require.NoError(t, err)
			assert.Equal(t, "a c2 701-3200", label(c), "after %d", after)
			break
		}
	}
	_, err = s.Append(soon(t), "b", events.NoStream(), "c1", notes(2500)...)
	require.NoError(t, err)
	last, ok, err := open(t, server.URL()).Last(soon(t), "b")
	require.NoError(t, err)
	assert.True(t, ok)
	assert.Equal(t, "b c1 1-2500", label(last))
}

func TestAReadThatIsCutIsReadAgain(t *testing.T) {
	server := start(t, esdbtest.Options{})
	s := open(t, server.URL())
	for i := range uint64(4) {
		_, err := s.Append(soon(t), "a", events.Exactly(2*i), fmt.Sprint(i), notes(2)...)
		require.NoError(t, err)
	}
	server.Next(esdbtest.Read, esdbtest.CutAfter)
	assert.Equal(t, []string{"a 0 1-2", "a 1 3-4", "a 2 5-6", "a 3 7-8"}, stored(t, s, "a"))
	server.Next(esdbtest.Read, esdbtest.CutAfter, esdbtest.CutAfter)
	for _, err := range s.Read(soon(t), "a", 0) {
		require.ErrorIs(t, err, events.ErrUnavailable, "rather than half of what is there")
	}
}
