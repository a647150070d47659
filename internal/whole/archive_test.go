package whole_test

import (
	"context"
	"io"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/deedrun/deed"
	"github.com/deedrun/deed/orchestrator"
	"github.com/deedrun/deed/orchestrator/process"
	"github.com/deedrun/deed/task"
	"github.com/deedrun/deed/worker"
)

func TestWhoServesAFolderArchivesWhatIsDueAndWhoAttachesGetsItsOutputs(t *testing.T) {
	t.Parallel()
	ctx, dir := t.Context(), t.TempDir()
	handlers := worker.NewRegistry()
	worker.Handle(handlers, "write", func(_ context.Context, task *worker.Task) error {
		out, err := task.Create("copy")
		if err != nil {
			return err
		}
		if _, err := io.WriteString(out, "what was written"); err != nil {
			return err
		}
		return out.Close()
	})
	submit := func(r *deed.Runtime) {
		source := deed.MustParse("deed: v1\nname: writing\nsteps:\n  write: {run: write, out: [copy]}\noutputs: [copy]\n")
		require.NoError(t, r.Submit(ctx, "p", deed.Job{Source: source}))
	}
	open := func() *deed.Runtime {
		r, err := deed.Open(ctx, deed.Options{Dir: dir, Handlers: handlers})
		require.NoError(t, err)
		t.Cleanup(r.Close)
		return r
	}
	first := open()
	submit(first)
	_, err := first.Wait(ctx, "p", nil)
	require.NoError(t, err)
	require.NoError(t, orchestrator.SetRetention(ctx, first.Events, orchestrator.Retention{
		Name: "writing", ArchiveAfter: task.Duration(time.Nanosecond), Asked: process.Asked{By: "ada"}, At: time.Now(),
	}))
	first.Close()

	second := open()
	require.Eventually(t, func() bool {
		archived, _, err := second.Archive.Closed(ctx, "p")
		return err == nil && archived != nil && archived.By == "retention"
	}, 20*time.Second, 10*time.Millisecond)
	submit(second)
	result, err := second.Wait(ctx, "p", nil)
	require.NoError(t, err)
	text, err := result.Text(ctx, "copy")
	require.NoError(t, err)
	require.Equal(t, "what was written", text)
}
