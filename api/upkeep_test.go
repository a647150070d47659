package api_test

import (
	"bytes"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/deedrun/deed"
	"github.com/deedrun/deed/api/client"
	"github.com/deedrun/deed/api/wire"
	"github.com/deedrun/deed/blob"
	"github.com/deedrun/deed/events"
	"github.com/deedrun/deed/orchestrator"
	"github.com/deedrun/deed/orchestrator/process"
	"github.com/deedrun/deed/queue"
	"github.com/deedrun/deed/task"
	"github.com/deedrun/deed/worker"
)

// completed runs hello to its end.
func (r *rig) completed(id string) {
	r.Helper()
	_, err := r.client.Submit(r.Context(), wire.Submit{ID: id, Definition: hello, Inputs: names("Ann")})
	require.NoError(r, err)
	require.Equal(r, process.Completed, r.ended(id).Status)
}

func TestAHistoryIsArchivedTakenElsewhereAndRemoved(t *testing.T) {
	r, other := inMemory(t, greeters(nil)), inMemory(t, greeters(nil))
	r.completed("greet-1")
	before, err := r.client.Show(t.Context(), "greet-1", 0)
	require.NoError(t, err)
	due, err := r.client.Due(t.Context(), time.Now().Add(time.Minute), "hello")
	require.NoError(t, err)
	require.Len(t, due, 1)

	archived, err := r.client.Archive(t.Context(), "greet-1", wire.Asked{By: "ada", Reason: "year closed"})
	require.NoError(t, err)
	require.True(t, archived.Changed)
	require.Equal(t, before.Events, archived.Events)
	again, err := r.client.Archive(t.Context(), "greet-1", wire.Asked{})
	require.NoError(t, err)
	require.False(t, again.Changed)
	var file bytes.Buffer
	require.NoError(t, r.client.ExportArchive(t.Context(), "greet-1", &file))
	_, err = r.client.Cancel(t.Context(), "greet-1", wire.Asked{})
	var refused *orchestrator.AnswerError
	require.ErrorAs(t, err, &refused)

	taken, err := other.client.ImportArchive(t.Context(), bytes.NewReader(file.Bytes()), wire.Asked{By: "bo"})
	require.NoError(t, err)
	require.Equal(t, "greet-1", taken.ID)
	for _, place := range []*rig{r, other} { // shown as before, from the file; and folded from afar
		shown, err := place.client.Show(t.Context(), "greet-1", 0)
		require.NoError(t, err)
		require.Equal(t, before.Steps, shown.Steps)
		store := blob.New(place.client.Bucket())
		folded, err := orchestrator.Load(t.Context(), &orchestrator.Archive{Events: events.New(place.client.Events()), Blobs: store}, "greet-1")
		require.NoError(t, err)
		require.Equal(t, before, wire.ProcessOf(folded))
		require.NoError(t, store.Close())
	}
	_, err = other.client.ImportArchive(t.Context(), bytes.NewReader(file.Bytes()[:file.Len()/2]), wire.Asked{})
	require.True(t, client.IsCode(err, wire.CodeArchiveFile), "%v", err)

	removed, err := r.client.RemoveArchive(t.Context(), "greet-1", wire.Asked{Reason: "no longer needed"})
	require.NoError(t, err)
	require.True(t, removed.Removed && removed.Changed)
	_, err = r.client.Show(t.Context(), "greet-1", 0)
	require.True(t, client.IsCode(err, wire.CodeRemoved), "%v", err)
}

func TestWhatRunsIsNotArchived(t *testing.T) {
	gate := make(chan struct{})
	defer close(gate)
	r := inMemory(t, greeters(gate))
	_, err := r.client.Submit(t.Context(), wire.Submit{ID: "greet-1", Definition: hello, Inputs: names("Gate")})
	require.NoError(t, err)
	_, err = r.client.Archive(t.Context(), "greet-1", wire.Asked{})
	var refused *orchestrator.AnswerError
	require.ErrorAs(t, err, &refused)
	_, err = r.client.Archive(t.Context(), "nobody", wire.Asked{})
	require.True(t, client.IsCode(err, wire.CodeNoProcess), "%v", err)
}

func TestRetentionIsSetListedAndTakenBack(t *testing.T) {
	r := inMemory(t, nil)
	for _, name := range []string{"hello", "*", "a b/c"} {
		set := orchestrator.Retention{Name: name, ArchiveAfter: task.Duration(720 * time.Hour), Asked: process.Asked{By: "ada", Reason: "law"}}
		require.NoError(t, r.client.SetRetention(t.Context(), set))
	}
	all, err := r.client.Retentions(t.Context())
	require.NoError(t, err)
	require.Len(t, all, 3)
	known, err := r.client.UnsetRetention(t.Context(), "a b/c", wire.Asked{})
	require.NoError(t, err)
	require.True(t, known)
	known, err = r.client.UnsetRetention(t.Context(), "a b/c", wire.Asked{})
	require.NoError(t, err)
	require.False(t, known)
	here, err := orchestrator.Retentions(t.Context(), r.runtime.Events)
	require.NoError(t, err)
	require.Len(t, here, 2)
	require.Equal(t, "ada", here[0].By)
}

func TestGarbageIsFoundAndRemovedOnlyIfAskedTo(t *testing.T) {
	dir := t.TempDir()
	r := serve(t, deed.Options{Dir: dir, Handlers: greeters(nil)})
	r.completed("greet-1")
	remote := blob.New(r.client.Bucket())
	defer remote.Close()
	ref, err := remote.Import(t.Context(), strings.NewReader("nobody wants this"))
	require.NoError(t, err)
	old := time.Now().Add(-2 * blob.RenewedFor)
	require.NoError(t, os.Chtimes(filepath.Join(dir, "blobs", filepath.FromSlash(ref.Key)), old, old))
	for _, remove := range []bool{false, true} {
		report, err := r.client.CollectGarbage(t.Context(), wire.GC{Grace: new(task.Duration), Delete: remove})
		require.NoError(t, err)
		require.Equal(t, remove, report.Deleted)
		_, err = r.runtime.Blobs.ReadAll(t.Context(), ref, 100)
		if remove {
			require.ErrorIs(t, err, blob.ErrNotFound)
		} else {
			require.NoError(t, err)
			require.Equal(t, 1, report.Total().Blobs)
		}
	}
}

func TestTheQuarantineIsLookedAtAndSentAgain(t *testing.T) {
	for name, handlers := range map[string]*worker.Registry{"of a server that does no work": nil, "of one that works as well": greeters(nil)} {
		t.Run(name, func(t *testing.T) {
			r := serve(t, deed.Options{Dir: t.TempDir(), Handlers: handlers})
			require.NoError(t, r.runtime.Inbox.Send(t.Context(), queue.Message{Key: "p", Body: []byte("no message of deed")}))
			var all []wire.Quarantined
			comes := func() {
				require.Eventually(t, func() bool {
					var err error
					all, err = r.client.Quarantine(t.Context())
					return err == nil && len(all) == 1
				}, patience, 10*time.Millisecond)
			}
			comes()
			require.Equal(t, "no message of deed", string(all[0].Body))
			one, ok, err := r.client.Quarantined(t.Context(), all[0].Number)
			require.NoError(t, err)
			require.True(t, ok)
			require.Equal(t, all[0], one)
			ok, err = r.client.RetryQuarantined(t.Context(), one.Number)
			require.NoError(t, err)
			require.True(t, ok)
			_, ok, err = r.client.Quarantined(t.Context(), one.Number)
			require.NoError(t, err)
			require.False(t, ok)
			ok, err = r.client.RetryQuarantined(t.Context(), one.Number)
			require.NoError(t, err)
			require.False(t, ok)
			comes() // back, under another number
			require.Greater(t, all[0].Number, one.Number)
		})
	}
}

func TestViewsAreLookedAtAndRebuilt(t *testing.T) {
	r := inMemory(t, greeters(nil))
	r.completed("greet-1")
	rebuilt, err := r.client.RebuildViews(t.Context())
	require.NoError(t, err)
	require.Equal(t, 1, rebuilt.Processes)
	status, err := r.client.ViewStatus(t.Context())
	require.NoError(t, err)
	require.True(t, status[0].Stored)
}

func TestAWorkerIsDrained(t *testing.T) {
	t.Parallel()
	r := inMemory(t, greeters(nil))
	var view orchestrator.View
	require.Eventually(t, func() bool {
		var err error
		view, err = r.client.Look(t.Context(), "")
		return err == nil && len(view.Workers) == 1
	}, patience, 20*time.Millisecond)
	require.NoError(t, r.client.DrainWorker(t.Context(), view.Workers[0].Worker))
	select {
	case <-r.runtime.WorkerEnded():
	case <-time.After(patience):
		require.Fail(t, "it goes on")
	}
}

func TestTwoServersOfOneFolderAnswerForEverything(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	first := serve(t, deed.Options{Dir: dir, Handlers: greeters(nil), Workers: 2})
	second := serve(t, deed.Options{Dir: dir, Join: true})
	_, err := second.client.Submit(t.Context(), wire.Submit{ID: "greet-1", Definition: hello, Inputs: names("Ann", "Bo")})
	require.NoError(t, err)
	require.Equal(t, process.Completed, first.ended("greet-1").Status)
	require.Equal(t, first.ended("greet-1"), second.ended("greet-1"))
	require.NoError(t, second.client.Ready(t.Context()))
	archived, err := second.client.Archive(t.Context(), "greet-1", wire.Asked{})
	require.NoError(t, err)
	require.True(t, archived.Changed)
	shown, err := first.client.Show(t.Context(), "greet-1", 0)
	require.NoError(t, err)
	require.Equal(t, process.Completed, shown.Status)
	first.refused(http.StatusConflict, wire.CodeRefused, http.MethodPost, "/v1/processes/greet-1/restart", `{"from": "greet"}`)
}
