package orchestrator

import (
	"encoding/json"
	"fmt"
	"log/slog"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"

	"github.com/deedrun/deed/events"
	memevents "github.com/deedrun/deed/events/mem"
	"github.com/deedrun/deed/orchestrator/definition"
	"github.com/deedrun/deed/orchestrator/process"
	"github.com/deedrun/deed/task"
)

// anyEvent is an event that lists take in, in whatever order.
func anyEvent(t *rapid.T) process.Event {
	address := rapid.SampledFrom([]string{"a", "b", "c/d"}).Draw(t, "address")
	from := rapid.IntRange(0, 200).Draw(t, "from")
	tasks := task.Span(from, rapid.IntRange(1, 90).Draw(t, "tasks"))
	at := time.Unix(int64(rapid.IntRange(0, 1_000_000).Draw(t, "at")), 5).UTC()
	asked := process.Asked{By: "ada", Reason: "ünlucky\n", Command: "1"}
	begun := []process.Begun{{Address: address, Keep: rapid.Bool().Draw(t, "keep")}}
	def := definition.Definition{Name: "n", Version: rapid.StringMatching(`[0-9]`).Draw(t, "version"), Steps: []definition.Step{{Address: address}}}
	return rapid.SampledFrom([]process.Event{
		process.ProcessStarted{Definition: def, At: at},
		process.StepStarted{Address: address, Tasks: 300},
		process.TasksConfirmed{Address: address, Tasks: tasks},
		process.TasksSkipped{Address: address, Tasks: tasks},
		process.TasksFailed{Address: address, Tasks: tasks},
		process.TaskTimedOut{Address: address},
		process.StepCompleted{Address: address},
		process.ProcessCompleted{At: at},
		process.ProcessFailed{At: at, Address: address},
		process.ProcessPaused{Asked: asked},
		process.ProcessResumed{Asked: asked},
		process.ProcessRetried{Asked: asked, Steps: begun, Tasks: []process.Reopened{{Address: address, Tasks: tasks}}},
		process.ProcessRestarted{Asked: asked, Steps: begun},
		process.ProcessRevised{Asked: asked, Definition: def, Steps: begun},
	}).Draw(t, "event")
}

// somewhere appends a commit to the stream of some process, or archives it.
func somewhere(t *rapid.T, store *events.Store, n int) {
	stream := streamPrefix + rapid.SampledFrom([]string{"p", "q", "r", "s"}).Draw(t, "process")
	version, err := store.Version(t.Context(), stream)
	require.NoError(t, err)
	switch rapid.IntRange(0, 15).Draw(t, "what") {
	case 0:
		data := fmt.Sprintf(`{"summary":{"id":"x","name":"n","status":"failed","tasks":%d,"skipped":3,"startedAt":"2026-01-01T10:00:00.5+02:00"}}`, n)
		_, err = store.Replace(t.Context(), stream, events.Exactly(version), fmt.Sprint(n), events.Record{Type: archivedType, Schema: 1, Data: []byte(data)})
	case 1:
		_, err = store.Append(t.Context(), stream, events.Exactly(version), fmt.Sprint(n), events.Record{Type: removedType, Schema: 1, Data: []byte(`{}`)})
	default:
		var records []events.Record
		for range rapid.IntRange(1, 3).Draw(t, "events") {
			s, err := process.Encode(anyEvent(t))
			require.NoError(t, err)
			records = append(records, events.Record(s))
		}
		_, err = store.Append(t.Context(), stream, events.Exactly(version), fmt.Sprint(n), records...)
	}
	require.NoError(t, err)
}

func TestAListStoredAnywhereAndFoldedOnEqualsOneThatIsFoldedInOneGo(t *testing.T) {
	blobs := newBlobs(t)
	rapid.Check(t, func(t *rapid.T) {
		store := events.New(memevents.New())
		old, err := blobs.Names(t.Context(), viewsFolder)
		require.NoError(t, err)
		for _, key := range old {
			require.NoError(t, blobs.Remove(t.Context(), key))
		}
		views := &Views{Events: store, Blobs: blobs, Every: rapid.IntRange(1, 6).Draw(t, "every"), Log: slog.New(slog.DiscardHandler)}
		for n := range rapid.IntRange(1, 60).Draw(t, "commits") {
			somewhere(t, store, n)
			if rapid.IntRange(0, 3).Draw(t, "list") > 0 {
				continue
			}
			got, err := views.Processes(t.Context(), time.Now())
			require.NoError(t, err)
			want, err := summarise(t.Context(), store)
			require.NoError(t, err)
			require.Equal(t, asJSON(t, want), asJSON(t, got))
		}
		rebuilt, err := views.Rebuild(t.Context(), time.Now())
		require.NoError(t, err)
		require.Nil(t, rebuilt.Differs)

		l, err := views.open(t.Context())
		require.NoError(t, err)
		defer l.list.stop()
		require.NotEmpty(t, l.key)
		again, err := store.Subscribe(t.Context(), streamPrefix, 0)
		require.NoError(t, err)
		defer again.Stop()
		before := asJSON(t, l.list.processes())
		at := l.list.at
		for {
			c, ready, err := again.Next(t.Context(), false)
			require.NoError(t, err)
			if !ready {
				break
			}
			l.list.take(c)
		}
		require.Equal(t, before, asJSON(t, l.list.processes()), "what is fed again changes nothing")
		require.Equal(t, at, l.list.at)
	})
}

func asJSON(t require.TestingT, v any) string {
	data, err := json.Marshal(v)
	require.NoError(t, err)
	return string(data)
}
