package whole_test

import (
	"bytes"
	"context"
	"log/slog"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/deedrun/deed"
	"github.com/deedrun/deed/internal/esdbtest"
	"github.com/deedrun/deed/worker"
)

// told is what was logged so far.
type told struct {
	mu   sync.Mutex
	text bytes.Buffer
}

func (t *told) Write(p []byte) (int, error) {
	t.mu.Lock()
	defer t.mu.Unlock()
	return t.text.Write(p)
}

func (t *told) String() string {
	t.mu.Lock()
	defer t.mu.Unlock()
	return t.text.String()
}

// The outage is longer than a lease, so that the reports in the inbox, too, are
// delivered again.
func TestWhileTheEventStoreIsAwayARunStandsStillAndThenGoesOnWithoutLosingAnything(t *testing.T) {
	t.Parallel()
	ctx, stop := context.WithTimeout(t.Context(), time.Minute)
	defer stop()
	double, err := esdbtest.Start(esdbtest.Options{})
	require.NoError(t, err)
	defer double.Stop()

	const tasks = 8
	away, began := make(chan struct{}), make(chan struct{}, tasks)
	handlers := worker.NewRegistry()
	worker.HandleJSON(handlers, "wait", func(ctx context.Context, n int) (int, error) {
		began <- struct{}{}
		select {
		case <-away:
			return n, nil
		case <-ctx.Done():
			return 0, context.Cause(ctx)
		}
	})
	worker.Handle(handlers, "add", func(_ context.Context, t *worker.Task) error {
		n, err := sum(t, "numbers")
		if err != nil {
			return err
		}
		return writeNumber(t, "sum", "", n)
	})
	source := deed.MustParse(`
deed: v1
name: waits
inputs: [numbers]
steps:
  wait: {run: wait, each: numbers, out: [waited]}
  add:  {run: add, in: {numbers: waited}, out: {sum: total}}
outputs: [total]
`)
	log := &told{}
	dir := t.TempDir()
	r, err := deed.Open(ctx, deed.Options{
		Dir: dir, Events: double.URL(), Handlers: handlers, Workers: tasks, Lease: time.Second, Log: slog.New(slog.NewTextHandler(log, nil)),
	})
	require.NoError(t, err)
	defer r.Close()
	joined, err := deed.Open(ctx, deed.Options{Dir: dir, Handlers: handlers, Workers: 1})
	require.NoError(t, err, "who joins is told where the events are")
	defer joined.Close()
	require.Equal(t, r.EventsURL(), joined.EventsURL())
	require.NoError(t, r.Submit(ctx, "p", deed.Job{Source: source, Inputs: map[string]deed.Input{"numbers": deed.Values(1, 2, 3, 4, 5, 6, 7, 8)}}))
	ends := make(chan *deed.Result, 2)
	for _, waits := range []*deed.Runtime{r, joined} {
		go func() {
			result, err := waits.Wait(ctx, "p", nil)
			assert.NoError(t, err)
			ends <- result
		}()
	}
	for range tasks {
		<-began
	}

	double.Stop()
	close(away)
	require.Eventually(t, func() bool { return strings.Contains(log.String(), "everything stands still") }, 20*time.Second, 20*time.Millisecond)
	require.Contains(t, log.String(), "EventStoreDB at "+double.Address())
	fresh := make(chan error, 1) // asked while it is away, granted when it is back
	go func() {
		fresh <- r.Submit(ctx, "q", deed.Job{Source: source, Inputs: map[string]deed.Input{"numbers": deed.Values(9)}})
	}()
	_, err = deed.Open(ctx, deed.Options{Dir: dir, ReadOnly: true})
	var unreachable *deed.UnreachableError
	require.ErrorAs(t, err, &unreachable, "whoever comes now is told at once")
	require.NoError(t, double.Restart())

	for range 2 {
		result := <-ends
		require.NotNil(t, result)
		text, err := result.Text(ctx, "total")
		require.NoError(t, err)
		require.Equal(t, "36", text)
		steps := result.State.Steps()
		require.Zero(t, steps[0].Failures+steps[0].Losses, "no attempt was lost by waiting")
	}
	require.NoError(t, <-fresh)
	_, err = r.Wait(ctx, "q", nil)
	require.NoError(t, err)
	require.Contains(t, log.String(), "it goes on")
}
