package whole_test

import (
	"errors"
	"flag"
	"math/rand/v2"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/deedrun/deed"
	"github.com/deedrun/deed/events"
	"github.com/deedrun/deed/internal/natsproc"
	"github.com/deedrun/deed/orchestrator/process"
)

var kills = flag.Int("kills", 3, "how often the server is killed in the test of that")

func init() { natsproc.Serve() }

func TestAServerThatIsKilledAgainAndAgainKeepsWhatItAcknowledgedAndTheProcessCompletes(t *testing.T) {
	t.Parallel()
	numbers, want := numbersUpTo(60 * *kills)
	server, err := natsproc.Start(t.Context(), natsproc.Options{Dir: t.TempDir(), Listen: "127.0.0.1:0", Token: "kill me"})
	require.NoError(t, err)
	whole := newRemote(t, server.URL(), "kill me")

	require.NoError(t, whole.workers[0].Submit(t.Context(), "x", deed.Job{Source: additions, Inputs: map[string]deed.Input{"numbers": deed.Values(numbers...)}}))
	ended := make(chan error, 1)
	var result *deed.Result
	go func() {
		var err error
		for again := true; again; again = errors.Is(err, events.ErrUnavailable) { // it may be killed while the history is read
			result, err = whole.workers[1].Wait(t.Context(), "x", nil)
		}
		ended <- err
	}()
	for n := range *kills {
		// At a random moment of the nth part of the run: every other time one at
		// which an append is likely to be under way, which takes a millisecond.
		whole.await(t, (n*len(numbers)+rand.IntN(len(numbers))) / *kills)
		within := 20 * time.Millisecond
		if n%2 == 0 {
			whole.ledger.awaitAppend(t)
			within = time.Millisecond
		}
		time.Sleep(rand.N(within))
		require.NoError(t, server.Kill())
		time.Sleep(rand.N(300 * time.Millisecond)) // while it is away
		require.NoError(t, server.Again(t.Context()))
	}
	select {
	case err := <-ended:
		require.NoError(t, err)
	case <-time.After(time.Minute):
		require.FailNow(t, "the process has not ended a minute after the last kill")
	}

	var total int
	require.NoError(t, result.Value(t.Context(), "total", &total))
	require.Equal(t, want, total)
	quarantine, err := whole.workers[0].Quarantine()
	require.NoError(t, err)
	bad, err := quarantine.All(t.Context())
	require.NoError(t, err)
	require.Empty(t, bad)
	whole.close()

	require.NoError(t, server.Kill())
	require.NoError(t, server.Again(t.Context()))
	stored := readBack(t, server.URL(), "kill me", "process-x")
	unanswered := whole.ledger.requireIn(t, stored)
	tasks := requireConfirmedOnce(t, stored)
	t.Logf("%d kills: %d appends were acknowledged, none of them is lost; %d failed, of which %d were stored nevertheless; %d tasks, each confirmed once, %d executed again",
		*kills, len(whole.ledger.acknowledged), whole.ledger.failed, unanswered, tasks, whole.again())
}

// numbersUpTo are the numbers below n, and their sum.
func numbersUpTo(n int) (numbers []any, sum int) {
	for i := range n {
		numbers = append(numbers, i)
	}
	return numbers, n * (n - 1) / 2
}

// requireConfirmedOnce counts the tasks of a completed process.
func requireConfirmedOnce(t *testing.T, history []events.Commit) int {
	t.Helper()
	type one struct {
		address string
		index   int
	}
	confirmed := map[one]bool{}
	var state process.State
	for _, c := range history {
		for _, e := range decoded(t, c) {
			state = process.Evolve(state, e)
			done, ok := e.(process.TasksConfirmed)
			if !ok {
				continue
			}
			for i := range done.Tasks.All() {
				require.False(t, confirmed[one{done.Address, i}], "%s[%d] is confirmed twice", done.Address, i)
				confirmed[one{done.Address, i}] = true
			}
		}
	}
	require.NoError(t, state.Damage())
	require.Equal(t, process.Completed, state.Status)
	return len(confirmed)
}

func decoded(t *testing.T, c events.Commit) []process.Event {
	t.Helper()
	var all []process.Event
	for _, r := range c.Events {
		e, err := process.Decode(process.Stored{Type: r.Type, Schema: r.Schema, Data: r.Data})
		require.NoError(t, err)
		all = append(all, e)
	}
	return all
}
