package deed_test

import (
	"context"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/deedrun/deed"
	"github.com/deedrun/deed/orchestrator/process"
	"github.com/deedrun/deed/worker"
)

const greetings = `
deed: v1
name: greet
inputs: [names]
steps:
  greet: {run: hello/greet@2, each: names, out: [greetings]}
outputs: [greetings]
`

// greeter offers hello/greet in a version, or as it is if that is empty.
func greeter(version string) *worker.Registry {
	reg := worker.NewRegistry()
	worker.HandleJSON(reg, "hello/greet"+version, func(_ context.Context, name string) (string, error) { return "hello " + name, nil })
	return reg
}

func TestADefinitionWhoseHandlerIsNotThereIsRefusedBeforeItRuns(t *testing.T) {
	names := map[string]deed.Input{"names": deed.Values("Ann", "Bo")}
	_, err := deed.Run(t.Context(), deed.MustParse(greetings), greeter("@1"), names)
	var faults *deed.FaultsError
	require.ErrorAs(t, err, &faults)
	require.Equal(t, `definition:6:16: greet: no worker offers the handler "hello/greet@2"; did you mean "hello/greet@1"?`, err.Error())

	_, err = deed.Run(t.Context(), deed.MustParse(greetings), worker.NewRegistry(), names)
	require.ErrorContains(t, err, "no handler is offered at all")
	_, err = deed.Run(t.Context(), deed.MustParse(greetings), greeter("@2"), names)
	require.NoError(t, err)
}

func TestAHandlerMayBeOfferedByAnotherWorkerOfTheServer(t *testing.T) {
	dir := t.TempDir()
	server, err := deed.Open(t.Context(), deed.Options{Dir: dir, Handlers: greeter("@2")})
	require.NoError(t, err)
	defer server.Close()
	joined, err := deed.Open(t.Context(), deed.Options{Dir: dir, Handlers: greeter("@3")})
	require.NoError(t, err)
	defer joined.Close()
	require.False(t, joined.Serving)
	require.NoError(t, joined.CheckHandlers(t.Context(), deed.MustParse(greetings)))
}

func TestWaitingForAProcessThatIsCancelledEndsWithWhoDidItAndWhy(t *testing.T) {
	begun := make(chan struct{})
	reg := worker.NewRegistry()
	worker.Handle(reg, "hello/greet@2", func(ctx context.Context, _ *worker.Task) error {
		close(begun)
		<-ctx.Done() // a cancel reaches it
		return ctx.Err()
	})
	r, err := deed.Open(t.Context(), deed.Options{Handlers: reg, Workers: 1})
	require.NoError(t, err)
	defer r.Close()
	require.NoError(t, r.Submit(t.Context(), "p", deed.Job{
		Source: deed.MustParse(greetings), Inputs: map[string]deed.Input{"names": deed.Values("Ann")},
	}))
	<-begun
	require.NoError(t, r.Command(t.Context(), "p", process.CancelProcess{Asked: process.Asked{By: "ada", Reason: "typo"}}))
	ctx, cancel := context.WithTimeout(t.Context(), 30*time.Second)
	defer cancel()
	_, err = r.Wait(ctx, "p", nil)
	require.ErrorIs(t, err, deed.ErrCancelled)
	require.NotErrorIs(t, err, deed.ErrFailed)
	require.EqualError(t, err, `process "p": process cancelled by ada: typo`)
}
