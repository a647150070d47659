package deed_test

import (
	"context"
	"os"
	"path/filepath"
	"sync"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/deedrun/deed"
	"github.com/deedrun/deed/worker"
)

// wrote is the result of a process whose only output has parts of these names,
// each with its name as content.
func wrote(t *testing.T, r *deed.Runtime, handlers *worker.Registry, names ...string) *deed.Result {
	t.Helper()
	worker.Handle(handlers, "test/write", func(_ context.Context, t *worker.Task) error {
		for _, name := range names {
			out, err := t.CreateNamed("files", "", name)
			if err != nil {
				return err
			}
			if _, err := out.Write([]byte(name)); err != nil {
				return err
			}
			if err := out.Close(); err != nil {
				return err
			}
		}
		return nil
	})
	source := deed.MustParse("deed: v1\nname: write\nsteps:\n  write: {run: test/write, out: [files]}\noutputs: [files]\n")
	require.NoError(t, r.Submit(t.Context(), "write", deed.Job{Source: source}))
	result, err := r.Wait(t.Context(), "write", nil)
	require.NoError(t, err)
	return result
}

func TestExport(t *testing.T) {
	handlers := worker.NewRegistry()
	r, err := deed.Open(t.Context(), deed.Options{Handlers: handlers})
	require.NoError(t, err)
	defer r.Close()
	names := []string{"a.part", "a", "00004-x", "x", "x"}
	result := wrote(t, r, handlers, names...)

	t.Run("no part takes the file of another, whatever their names", func(t *testing.T) {
		dir := t.TempDir()
		paths, err := result.Export(t.Context(), dir)
		require.NoError(t, err)
		require.Len(t, paths, len(names))
		for i, path := range paths {
			content, err := os.ReadFile(path)
			require.NoError(t, err)
			assert.Equal(t, names[i], string(content))
		}
		files, err := os.ReadDir(filepath.Join(dir, "files"))
		require.NoError(t, err)
		assert.Len(t, files, len(names))
		all, err := os.ReadDir(dir)
		require.NoError(t, err)
		assert.Len(t, all, 1, "nothing of the writing is left")
	})

	t.Run("two that write the same outputs at once do not disturb each other", func(t *testing.T) {
		dir := t.TempDir()
		var both sync.WaitGroup
		for range 2 {
			both.Go(func() {
				for range 20 {
					_, err := result.Export(t.Context(), dir)
					assert.NoError(t, err)
				}
			})
		}
		both.Wait()
	})
}
