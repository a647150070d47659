package api_test

import (
	"context"
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
	"github.com/deedrun/deed/internal/upkeep"
	"github.com/deedrun/deed/orchestrator"
	"github.com/deedrun/deed/orchestrator/process"
)

// from is what the command deed has of a server, with the token of the rig.
func (r *rig) from() *deed.Runtime {
	r.Helper()
	remote, err := deed.Open(r.Context(), deed.Options{URL: r.url, API: client.Options{Token: r.token}})
	require.NoError(r, err)
	r.Cleanup(remote.Close)
	return remote
}

func TestATokenForSomeProcessesDoesForThemAllThatAPersonDoes(t *testing.T) {
	t.Parallel()
	gate := make(chan struct{})
	defer close(gate)
	r := guarded(t, inMemory(t, greeters(gate)).runtime, invited())
	r.as("theirs").shouts(another, "theirs-loud")
	ours := r.as("ours").from()
	ctx, cancel := context.WithTimeout(t.Context(), patience)
	defer cancel()

	dir := t.TempDir()
	for name, text := range map[string]string{"loud.yaml": loud("ours-loud"), "tone.txt": "in a loud voice\n", "a.txt": "many words", "b.txt": "few deeds"} {
		require.NoError(t, os.WriteFile(filepath.Join(dir, name), []byte(text), 0o600))
	}
	source, err := deed.ParseFile(filepath.Join(dir, "loud.yaml"))
	require.NoError(t, err)
	job := deed.Job{Source: source, Inputs: map[string]deed.Input{"texts": deed.Files(filepath.Join(dir, "a.txt"), filepath.Join(dir, "b.txt"))}}
	require.NoError(t, ours.Submit(ctx, "ours-1", job))
	require.NoError(t, ours.Submit(ctx, "ours-1", job), "and attach to it")
	result, err := ours.Wait(ctx, "ours-1", func(process.State) {})
	require.NoError(t, err)
	written, err := result.Export(ctx, t.TempDir())
	require.NoError(t, err)
	require.Len(t, written, 2)
	text, err := os.ReadFile(written[0])
	require.NoError(t, err)
	require.Equal(t, "MANY WORDS", string(text))

	var listed []string
	for p, err := range ours.Processes(ctx, orchestrator.Filter{}) {
		require.NoError(t, err)
		listed = append(listed, p.ID)
	}
	require.Equal(t, []string{"ours-1"}, listed)
	state, err := orchestrator.Load(ctx, ours.Archive, "ours-1")
	require.NoError(t, err)
	require.Equal(t, process.Completed, state.Status)
	hidden, err := orchestrator.Load(ctx, ours.Archive, another)
	require.NoError(t, err)
	require.Zero(t, hidden.Version)
	logs, err := ours.Blobs.Logs(ctx, "ours-1", "")
	require.NoError(t, err)
	require.Len(t, logs, 2)
	one, err := ours.Blobs.TaskLogs(ctx, "ours-1", "shout", 1)
	require.NoError(t, err)
	require.Len(t, one, 1)
	for line, err := range ours.Blobs.OpenLog(one[0].LogName).Lines(ctx) {
		require.NoError(t, err)
		require.Equal(t, "in a loud voice", line.Text)
	}
	hiddenLogs, err := ours.Blobs.Logs(ctx, another, "")
	require.NoError(t, err)
	require.Empty(t, hiddenLogs)

	require.NoError(t, ours.Command(ctx, "ours-1", process.RestartFrom{Address: "shout", Asked: process.Asked{By: "ada", Command: "r-1"}}))
	_, err = ours.Wait(ctx, "ours-1", func(process.State) {})
	require.NoError(t, err)
	done, err := upkeep.Of(ours).Archive(ctx, "ours-1", wire.Asked{})
	require.NoError(t, err)
	require.True(t, done.Changed)
	archived, _, err := ours.Archive.Closed(ctx, "ours-1")
	require.NoError(t, err)
	require.Equal(t, archived.Archive.Key, done.Archive)
	var file strings.Builder
	require.NoError(t, ours.Archive.Export(ctx, *archived, &file))
	require.NotEmpty(t, file.String())
	state, err = orchestrator.Load(ctx, ours.Archive, "ours-1")
	require.NoError(t, err)
	require.Equal(t, process.Completed, state.Status, "also out of its archive")
}

func TestSupervisionThroughATokenForSomeProcesses(t *testing.T) {
	t.Parallel()
	gate := make(chan struct{})
	defer close(gate)
	r := guarded(t, inMemory(t, greeters(gate)).runtime, invited())
	ctx, cancel := context.WithTimeout(t.Context(), patience)
	defer cancel()
	for _, team := range []string{"ours", "theirs"} {
		greet := job(t, strings.Replace(hello, "name: hello", "name: "+team+"-hello", 1), "Ann", "Gate")
		require.NoError(t, r.as(team).from().Submit(ctx, team+"-1", greet))
	}
	ours := r.as("ours").from()
	var view orchestrator.View
	require.Eventually(t, func() bool {
		both, err := r.runtime.Look(ctx, "")
		require.NoError(t, err)
		return len(both.Running) == 2
	}, patience, 20*time.Millisecond)
	for _, id := range []string{"", "ours-1"} {
		var err error
		view, err = ours.Look(ctx, id)
		require.NoError(t, err)
		require.Len(t, view.Running, 1, "what another team runs is not shown")
		require.Equal(t, "ours-1", view.Running[0].Process)
		require.Len(t, view.Queues, 1)
		require.Equal(t, "ours-1", view.Queues[0].Process)
		require.NotEmpty(t, view.Workers)
		holding := 0
		for _, w := range view.Workers {
			holding += w.Holding
		}
		require.Equal(t, 1, holding, "nor is how much of it")
	}
	hidden, err := ours.Look(ctx, another)
	require.NoError(t, err)
	nobody, err := ours.Look(ctx, none)
	require.NoError(t, err)
	require.Empty(t, hidden.Running)
	require.Equal(t, nobody.Queues, hidden.Queues)
	require.Equal(t, nobody.Running, hidden.Running)
	pools, err := r.as("ours").client.Pools(ctx)
	require.NoError(t, err)
	require.NotEmpty(t, pools.Pools)
	for _, p := range pools.Pools {
		require.Zero(t, p.Out+p.Waiting+int(p.Backlog), "%+v", p)
		require.Positive(t, p.Slots)
	}

	for _, c := range []process.Command{
		process.PauseProcess{}, process.ResumeProcess{}, process.CancelProcess{}, process.RetryTasks{}, process.CancelProcess{Asked: process.Asked{Command: "2"}},
	} {
		require.NoError(t, ours.Command(ctx, "ours-1", c), "%T", c)
		err := ours.Command(ctx, another, c)
		require.ErrorContains(t, err, `there is no process "theirs-1"`, "%T", c)
	}
	_, err = ours.Wait(ctx, "ours-1", func(process.State) {})
	require.Error(t, err)
	theirs, err := orchestrator.Load(ctx, r.runtime.Archive, another)
	require.NoError(t, err)
	require.Equal(t, process.Running, theirs.Status)
	require.Nil(t, theirs.Pause)
}

// It is not told to whom it does not belong which inputs there are, and who has
// one keeps it as everybody does.
func TestAnInputThatWasStoredLongAgoIsKeptForWhoSubmitsIt(t *testing.T) {
	dir := t.TempDir()
	r := guarded(t, serve(t, deed.Options{Dir: dir}).runtime, invited()).as("ours")
	ref := r.stored("some words")
	old := time.Now().Add(-2 * blob.RenewedFor)
	require.NoError(t, os.Chtimes(filepath.Join(dir, "blobs", filepath.FromSlash(ref.Key)), old, old))
	require.Equal(t, ref, r.stored("some words"))
	marks, err := r.runtime.Blobs.Names(t.Context(), "renewed/")
	require.NoError(t, err)
	require.Equal(t, []string{"renewed/" + ref.Key}, marks)
	require.Equal(t, ref, r.stored("some words"), "the mark is seen, and not made again and again")
}
