package orchestrator

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"log/slog"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/deedrun/deed/events"
	"github.com/deedrun/deed/events/esdb"
	memevents "github.com/deedrun/deed/events/mem"
	natsevents "github.com/deedrun/deed/events/nats"
	"github.com/deedrun/deed/internal/esdbtest"
	"github.com/deedrun/deed/internal/natsconn"
	"github.com/deedrun/deed/orchestrator/process"
	"github.com/deedrun/deed/task"
)

var ada = process.Asked{By: "ada", Reason: "old"}

// errCrash is how a crash in the middle shows in a test.
var errCrash = errors.New("crash")

// crashing is an event store that fails where it is told to.
type crashing struct {
	events.Driver
	before, after string // of an operation
}

func (c *crashing) do(name string, do func() error) error {
	if c.before == name {
		return errCrash
	}
	if err := do(); err != nil {
		return err
	}
	if c.after == name {
		return errCrash
	}
	return nil
}

func (c *crashing) Append(ctx context.Context, stream string, expected events.Expected, commit events.Commit) (version uint64, err error) {
	err = c.do("append", func() error {
		version, err = c.Driver.Append(ctx, stream, expected, commit)
		return err
	})
	return version, err
}

func (c *crashing) Truncate(ctx context.Context, stream string, before uint64) error {
	return c.do("truncate", func() error { return c.Driver.Truncate(ctx, stream, before) })
}

// shelf is a rig with an archive and a process "p" that has completed.
type shelf struct {
	*rig
	driver  *crashing
	archive *Archive
	before  told // p, while it was not archived
}

// told is all that a reader gets to know of a process.
type told struct {
	state   string
	history string
	version uint64
	half    string // the state in the middle
}

func newShelf(t *testing.T, driver events.Driver) *shelf {
	r := newRig(t)
	s := &shelf{rig: r, driver: &crashing{Driver: driver}}
	r.store = events.New(s.driver)
	s.archive = &Archive{Events: r.store, Blobs: newBlobs(t)}
	r.options.Events, r.options.Archive = r.store, s.archive
	r.options.Snapshots = &Snapshots{Blobs: s.archive.Blobs, Every: 1, Log: slog.New(slog.DiscardHandler)}
	r.restart()
	r.send("p", fanOut(), 3)
	r.step()
	r.report("p", done(task.Span(0, 2)))
	r.step()
	r.pass(time.Minute)
	r.report("p", done(task.Of(2)))
	r.step()
	require.NotEmpty(t, r.snapshots("p"))
	s.before = s.tell("p")
	return s
}

// onEvery runs a test on every backend.
func onEvery(t *testing.T, test func(t *testing.T, driver func() events.Driver)) {
	t.Run("mem", func(t *testing.T) { test(t, memevents.New) })
	t.Run("nats", func(t *testing.T) {
		server, err := natsconn.Start(natsconn.ServerOptions{Dir: t.TempDir(), InProcessOnly: true, NoSync: true})
		require.NoError(t, err)
		t.Cleanup(server.Close)
		n := 0
		test(t, func() events.Driver {
			conn, err := server.Connect(natsconn.ConnOptions{Name: "test"})
			require.NoError(t, err)
			t.Cleanup(conn.Close)
			n++
			driver, err := natsevents.Open(t.Context(), conn, natsevents.Options{Stream: "LOG_" + string(rune('A'+n)), Subject: "log" + string(rune('a'+n))})
			require.NoError(t, err)
			return driver
		})
	})
	t.Run("esdb", func(t *testing.T) {
		test(t, func() events.Driver {
			server, err := esdbtest.Start(esdbtest.Options{})
			require.NoError(t, err)
			t.Cleanup(server.Stop)
			driver, err := esdb.Open(t.Context(), server.URL(), esdb.Options{})
			require.NoError(t, err)
			t.Cleanup(func() { _ = driver.Close() })
			return driver
		})
	})
}

func (s *shelf) tell(id string) told { return tellAll(s.t, s.archive, id) }

func tellAll(t testing.TB, a *Archive, id string) told {
	t.Helper()
	ctx := context.Background()
	state, err := Load(ctx, a, id)
	require.NoError(t, err)
	half, err := LoadAt(ctx, a, id, (state.Version+1)/2)
	require.NoError(t, err)
	version, err := Version(ctx, a.Events, id)
	require.NoError(t, err)
	var lines bytes.Buffer
	for e, err := range History(ctx, a, id) {
		require.NoError(t, err)
		require.NoError(t, json.NewEncoder(&lines).Encode(e))
	}
	return told{state: encoded(t, state), history: lines.String(), version: version, half: encoded(t, half)}
}

func encoded(t testing.TB, s process.State) string {
	t.Helper()
	data, err := process.EncodeSnapshot(s)
	require.NoError(t, err)
	return string(data)
}

// archiveIt archives p.
func (s *shelf) archiveIt() (Archived, error) {
	r, _, err := s.archive.Put(s.ctx, "p", ada, s.now)
	return r, err
}

// stream is what stands in the stream of p.
func (s *shelf) stream() []string {
	s.t.Helper()
	var types []string
	for e, err := range s.store.Read(s.ctx, "process-p", 0) {
		require.NoError(s.t, err)
		types = append(types, e.Type)
	}
	return types
}

// ask sends a command of a person and returns the answer.
func (s *shelf) ask(c process.Command) Answer {
	s.t.Helper()
	replies := s.rig.ask("p", c)
	s.step()
	return s.answer(replies)
}

// commit stores events of a process as one commit.
func (s *shelf) commit(id string, all ...process.Event) {
	s.t.Helper()
	commitTo(s.t, s.store, id, 0, "commit-"+id, all...)
}

func sumOf(text string) string {
	s := newSum("")
	_, _ = s.Write([]byte(text))
	return s.ref().SHA256
}
