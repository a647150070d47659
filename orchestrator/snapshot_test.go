package orchestrator

import (
	"context"
	"encoding/json"
	"fmt"
	"iter"
	"log/slog"
	"slices"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/deedrun/deed/blob"
	"github.com/deedrun/deed/events"
	memevents "github.com/deedrun/deed/events/mem"
	"github.com/deedrun/deed/orchestrator/process"
	"github.com/deedrun/deed/task"
)

// counting is an event store that counts the commits it reads.
type counting struct {
	events.Driver
	read int
}

func (c *counting) Read(ctx context.Context, stream string, after uint64) iter.Seq2[events.Commit, error] {
	return func(yield func(events.Commit, error) bool) {
		for commit, err := range c.Driver.Read(ctx, stream, after) {
			c.read++
			if !yield(commit, err) {
				return
			}
		}
	}
}

// snapshotRig is a rig that stores a snapshot every ten events, with a process
// of a hundred tasks, sixty of which were confirmed one by one.
func snapshotRig(t *testing.T) (*rig, *counting) {
	r := newRig(t)
	counted := &counting{Driver: memevents.New()}
	r.store = events.New(counted)
	blobs := newBlobs(t)
	r.options.Events = r.store
	r.options.Snapshots = &Snapshots{Blobs: blobs, Every: 10, Log: slog.New(slog.DiscardHandler)}
	r.restart()
	r.send("p", fanOut(), 100)
	r.step()
	for i := range 60 {
		r.report("p", done(task.Of(i)))
		r.step()
	}
	return r, counted
}

func (r *rig) snapshots(id string) []string {
	r.t.Helper()
	names, err := r.options.Snapshots.Blobs.Names(r.ctx, snapshotFolder(id))
	require.NoError(r.t, err)
	return names
}

func TestTheMoreReportsAStateRemembersTheRarerAreItsSnapshots(t *testing.T) {
	r, _ := snapshotRig(t)
	r.send("q", fanOut(), 500)
	r.step()
	var stored []uint64
	for i := range 499 {
		result := done(task.Of(i))
		result.Parts = []task.Produced{{Index: i, Data: "out", Part: task.Part{Value: json.RawMessage("1")}}}
		r.report("q", result)
		r.step()
		if latest := r.owner.snapshots["q"]; latest > 0 && !slices.Contains(stored, latest) {
			stored = append(stored, latest)
		}
	}
	require.Equal(t, 499, r.owner.processes["q"].Reports())
	require.Equal(t, uint64(10), stored[1]-stored[0], "the first follow each other as they are told to")
	last := len(stored) - 1
	require.InDelta(t, 49, stored[last]-stored[last-1], 8, "after some hundred reports a tenth as many lie between two")
}

// sameAsRead compares a state that was loaded with the one that the whole
// history folds to.
func (r *rig) sameAsRead(s process.State) {
	r.t.Helper()
	got, err := process.EncodeSnapshot(s)
	require.NoError(r.t, err)
	want, err := process.EncodeSnapshot(r.state("p"))
	require.NoError(r.t, err)
	require.JSONEq(r.t, string(want), string(got))
}

func TestAStateIsLoadedFromItsSnapshotAndTheEventsAfterIt(t *testing.T) {
	r, counted := snapshotRig(t)
	require.Len(t, r.snapshots("p"), 2, "the two latest are kept")
	counted.read = 0
	s, from, err := r.options.Snapshots.Load(r.ctx, r.store, "p")
	require.NoError(t, err)
	require.Greater(t, from, uint64(50))
	require.LessOrEqual(t, counted.read, 11, "only what follows is read, and the commit it follows")
	r.sameAsRead(s)
}

func TestAnOwnerThatBeganFromASnapshotGoesOnAsAnyOther(t *testing.T) {
	r, counted := snapshotRig(t)
	counted.read = 0
	r.restart()
	r.step()
	require.LessOrEqual(t, counted.read, 11)
	r.pass(rollCall)
	r.step()
	r.report("p", done(task.Span(60, 40)))
	r.step()
	require.Equal(t, process.Completed, r.state("p").Status)
}

func TestASnapshotThatCannotBeBelievedIsPassedOver(t *testing.T) {
	for name, spoil := range map[string]func(r *rig, blobs *blob.Store, key string, data []byte) []byte{
		"torn":                func(_ *rig, _ *blob.Store, _ string, data []byte) []byte { return data[:len(data)/2] },
		"with a changed byte": func(_ *rig, _ *blob.Store, _ string, data []byte) []byte { data[len(data)/2] ^= 1; return data },
		"empty":               func(*rig, *blob.Store, string, []byte) []byte { return nil },
		"of a commit that is not in the history": func(r *rig, _ *blob.Store, _ string, data []byte) []byte {
			_, body, err := unseal(data)
			require.NoError(r.t, err)
			return seal("another", body)
		},
		"of another process": func(r *rig, _ *blob.Store, _ string, data []byte) []byte {
			r.send("q", fanOut(), 3)
			r.step()
			commitID, _, err := unseal(data)
			require.NoError(r.t, err)
			body, err := process.EncodeSnapshot(r.state("q"))
			require.NoError(r.t, err)
			return seal(commitID, body)
		},
		"of a form that this version does not read": func(r *rig, _ *blob.Store, _ string, data []byte) []byte {
			commitID, _, err := unseal(data)
			require.NoError(r.t, err)
			return seal(commitID, []byte(`{"schema":99}`))
		},
	} {
		t.Run(name, func(t *testing.T) {
			r, _ := snapshotRig(t)
			blobs := r.options.Snapshots.Blobs
			for _, key := range r.snapshots("p") {
				data, err := blobs.ReadNamed(r.ctx, key, snapshotLimit)
				require.NoError(t, err)
				require.NoError(t, blobs.Remove(r.ctx, key))
				require.NoError(t, blobs.StoreNamed(r.ctx, key, spoil(r, blobs, key, data)))
			}
			s, from, err := r.options.Snapshots.Load(r.ctx, r.store, "p")
			require.NoError(t, err)
			require.Zero(t, from)
			r.sameAsRead(s)
		})
	}
}

func TestASnapshotThatIsAheadOfTheHistoryIsPassedOver(t *testing.T) {
	r, _ := snapshotRig(t)
	other := newRig(t) // the same process in a store that was restored from an older copy
	other.send("p", fanOut(), 100)
	other.step()
	s, from, err := r.options.Snapshots.Load(r.ctx, other.store, "p")
	require.NoError(t, err)
	require.Zero(t, from)
	require.Zero(t, s.Steps()[0].Confirmed)
}

func TestABlobStoreThatIsAwayOnlyMakesLoadingSlower(t *testing.T) {
	r, _ := snapshotRig(t)
	r.options.Snapshots.Blobs = brokenStore(t)
	require.Error(t, r.options.Snapshots.Save(r.ctx, r.state("p"), "c"))
	s, from, err := r.options.Snapshots.Load(r.ctx, r.store, "p")
	require.NoError(t, err)
	require.Zero(t, from)
	r.sameAsRead(s)
}

func brokenStore(t *testing.T) *blob.Store {
	t.Helper()
	blobs, err := blob.Open(t.Context(), fmt.Sprintf("file://%s", t.TempDir()))
	require.NoError(t, err)
	require.NoError(t, blobs.Close()) // every call fails from now on
	return blobs
}
