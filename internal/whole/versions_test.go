package whole_test

import (
	"context"
	"fmt"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/deedrun/deed"
	"github.com/deedrun/deed/orchestrator/definition"
	"github.com/deedrun/deed/worker"
)

// release is a worker's handlers as of one version: what a task writes is that version.
func release(version string) *worker.Registry {
	reg := worker.NewRegistry()
	worker.HandleJSON(reg, "report/make@"+version, func(_ context.Context, n int) (string, error) {
		return fmt.Sprintf("%d by version %s", n, version), nil
	})
	return reg
}

func pinned(name, version string) *definition.Source {
	return deed.MustParse(fmt.Sprintf(`
deed: v1
name: %s
inputs: [numbers]
steps:
  make: {run: report/make%s, each: numbers, out: [reports], timeout: 1m}
outputs: [reports]
`, name, version))
}

// L10 of the promises: version 2 is deployed while version 1 runs.
func TestOldAndNewWorkersRunSideBySideAndEachTaskGoesToTheVersionItIsPinnedTo(t *testing.T) {
	t.Parallel()
	ctx, stop := context.WithTimeout(t.Context(), time.Minute)
	defer stop()
	dir := t.TempDir()
	old, err := deed.Open(ctx, deed.Options{Dir: dir, Handlers: release("1"), Workers: 2})
	require.NoError(t, err)
	defer old.Close()
	require.NoError(t, old.Submit(ctx, "first", deed.Job{Source: pinned("first", "@1"), Inputs: map[string]deed.Input{"numbers": deed.Values(1, 2, 3, 4)}}))

	// The definition comes before its workers: its tasks wait and fail nothing.
	require.NoError(t, old.Submit(ctx, "second", deed.Job{Source: pinned("second", "@2"), Inputs: map[string]deed.Input{"numbers": deed.Values(5, 6, 7)}}))
	next, err := deed.Open(ctx, deed.Options{Dir: dir, Handlers: release("2"), Workers: 2})
	require.NoError(t, err)
	defer next.Close()
	require.NoError(t, next.Submit(ctx, "either", deed.Job{Source: pinned("either", ""), Inputs: map[string]deed.Input{"numbers": deed.Values(8, 9)}}))

	for id, version := range map[string]string{"first": "1", "second": "2"} {
		result, err := old.Wait(ctx, id, nil)
		require.NoError(t, err)
		for part, err := range result.Parts(ctx, "reports") {
			require.NoError(t, err)
			require.Contains(t, string(part.Value), "by version "+version, id)
		}
		require.Zero(t, result.State.Steps()[0].Failures, "no attempt was spent on workers that do not serve it")
	}
	_, err = next.Wait(ctx, "either", nil)
	require.NoError(t, err, "a task that is not pinned is done by either")
}
