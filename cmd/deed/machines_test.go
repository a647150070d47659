package main

import (
	"context"
	"encoding/json"
	"errors"
	"flag"
	"fmt"
	"math/rand/v2"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/deedrun/deed"
	"github.com/deedrun/deed/orchestrator"
	"github.com/deedrun/deed/orchestrator/process"
	"github.com/deedrun/deed/worker"
)

var (
	machineRounds = flag.Int("machines", 3, "how often something is killed or cut off in the test of many machines")
	machineTasks  = flag.Int("machines-tasks", 3000, "tasks of the process in that test")
)

// withSquares gives the real binary the handlers of this test.
const withSquares = "DEED_TEST_SQUARES"

func init() {
	if os.Getenv(withSquares) != "" {
		builtIn = append(builtIn, registerSquares)
	}
}

// registerSquares offers handlers that write down what they execute, in a file
// beside the data.
func registerSquares(reg *worker.Registry) {
	worker.Handle(reg, "machines/square", func(ctx context.Context, t *worker.Task) error {
		var ledger, pause string
		var n int
		if err := t.Param("ledger", &ledger); err != nil {
			return err
		}
		if err := t.Param("pause", &pause); err != nil {
			return err
		}
		if err := readAll(t, "numbers", func(number int) { n = number }); err != nil {
			return err
		}
		file, err := os.OpenFile(ledger, os.O_CREATE|os.O_APPEND|os.O_WRONLY, 0o600)
		if err != nil {
			return err
		}
		defer file.Close()
		if _, err := fmt.Fprintf(file, "%d %d\n", n, t.Attempt()); err != nil {
			return err
		}
		wait, err := time.ParseDuration(pause)
		if err != nil {
			return err
		}
		select {
		case <-time.After(wait):
		case <-ctx.Done():
			return ctx.Err()
		}
		return t.Emit("squares", n*n)
	})
	worker.Handle(reg, "machines/sum", func(_ context.Context, t *worker.Task) error {
		sum := 0
		if err := readAll(t, "squares", func(n int) { sum += n }); err != nil {
			return err
		}
		return t.Emit("total", sum)
	})
}

// readAll reads the numbers of an input.
func readAll(t *worker.Task, input string, visit func(n int)) error {
	for part, err := range t.Parts(input) {
		if err != nil {
			return err
		}
		r, err := part.Open()
		if err != nil {
			return err
		}
		var n int
		err = json.NewDecoder(r).Decode(&n)
		if err := errors.Join(err, r.Close()); err != nil {
			return err
		}
		visit(n)
	}
	return nil
}

var squares = deed.MustParse(`
deed: v1
name: squares
inputs: [numbers]
params: {ledger: "", pause: 20ms}
steps:
  square: {run: machines/square, each: numbers, out: [squares], retry: {attempts: 20}}
  sum: {run: machines/sum, in: [squares], out: [total], retry: {attempts: 20}}
outputs: [total]
`)

// squaresJob squares the numbers below n; want is the sum.
func squaresJob(n int, ledger string) (job deed.Job, want int) {
	numbers := make([]any, n)
	for i := range numbers {
		numbers[i], want = i, want+i*i
	}
	return deed.Job{Source: squares, Inputs: map[string]deed.Input{"numbers": deed.Values(numbers...)}, Params: map[string]string{"ledger": ledger}}, want
}

// L7 and S2 of the promises: several orchestrators, one of which wins; one is
// killed, and another continues.
func TestMachinesThatAreKilledAndCutOffLoseNothingAndEachTaskIsConfirmedOnce(t *testing.T) {
	t.Parallel()
	m := newMachines(t, 2, 4)
	for _, name := range []string{"serve1", "serve2"} {
		m.start(name, "", "serve", "--replicas", "3")
	}
	for _, name := range []string{"worker1", "worker2", "worker3", "worker4"} {
		m.start(name, "", "worker", "--concurrency", "4")
	}
	ledger := filepath.Join(m.dir, "ledger")
	job, want := squaresJob(*machineTasks, ledger)
	client := m.client()
	require.NoError(t, client.Submit(t.Context(), "x", job))
	ended := make(chan error, 1)
	var result *deed.Result
	go func() {
		var err error
		result, err = client.Wait(t.Context(), "x", nil)
		ended <- err
	}()

	random := rand.New(rand.NewPCG(uint64(time.Now().UnixNano()), 1)) //nolint:gosec // moments, not secrets
	var troubles []string
	for round := range *machineRounds {
		awaitLedger(t, ledger, (round+1)**machineTasks/(*machineRounds+1))
		troubles = append(troubles, m.trouble(random, round))
	}
	select {
	case err := <-ended:
		require.NoError(t, err)
	case <-time.After(3 * time.Minute):
		require.FailNow(t, "the process has not ended three minutes after the last trouble", "%s", strings.Join(troubles, "\n"))
	}

	quarantine, err := client.Quarantine()
	require.NoError(t, err)
	bad := reached(t, quarantine.All)
	require.Empty(t, bad)
	reached(t, func(ctx context.Context) (uint64, error) { return client.Events.Version(ctx, "process-x") })
	var total int
	require.NoError(t, result.Value(t.Context(), "total", &total))
	require.Equal(t, want, total)
	executed := readNumbers(t, ledger)
	require.Len(t, executed, *machineTasks)
	again := 0
	for _, times := range executed {
		again += times - 1
	}
	confirmed, stall, at := confirmations(t, client, "x")
	require.Equal(t, *machineTasks+1, confirmed["square"]+confirmed["sum"])
	t.Logf("%d tasks, each confirmed once, %d executed again; the longest time without a confirmation was %s, until %s\n%s",
		*machineTasks, again, stall.Round(time.Millisecond), at.Format("15:04:05"), strings.Join(troubles, "\n"))
}

// reached reads what a cluster may be electing a leader for, since the last
// trouble was only just now.
func reached[T any](t *testing.T, read func(ctx context.Context) (T, error)) T {
	t.Helper()
	for began := time.Now(); ; {
		got, err := read(t.Context())
		if err == nil {
			return got
		}
		require.True(t, isUnavailable(err), "%v", err)
		require.Less(t, time.Since(began), time.Minute, "%v", err)
	}
}

// trouble kills a process, which is started again, or pulls a cable, which is
// put in again. It says what it did.
func (m *machines) trouble(random *rand.Rand, round int) string {
	m.t.Helper()
	began := time.Now()
	away := time.Duration(random.IntN(1500)) * time.Millisecond
	victim, what := random.IntN(len(m.nodes)+len(m.roles)), "killed"
	if round%3 == 2 {
		what, away = "cut off", 3*time.Second+2*away
	}
	name := ""
	if victim < len(m.nodes) {
		n := m.nodes[victim]
		name = n.host.name
		if what == "killed" {
			require.NoError(m.t, n.Kill())
			time.Sleep(away)
			require.NoError(m.t, n.Again(m.t.Context()))
		} else {
			n.pull(m.t)
			time.Sleep(away)
			n.plug(m.t)
		}
	} else {
		r := m.roles[victim-len(m.nodes)]
		name = r.name
		if what == "killed" {
			r.kill()
			time.Sleep(away)
			require.NoError(m.t, r.again(m.t.Context()))
		} else {
			r.pull(m.t)
			time.Sleep(away)
			r.plug(m.t)
		}
	}
	return fmt.Sprintf("%s %s %s for %s", began.Format("15:04:05"), name, what, away.Round(time.Millisecond))
}

// awaitLedger waits until so many executions are written down.
func awaitLedger(t *testing.T, file string, executions int) {
	t.Helper()
	require.Eventually(t, func() bool {
		data, err := os.ReadFile(file)
		return err == nil && strings.Count(string(data), "\n") >= executions
	}, 3*time.Minute, 20*time.Millisecond, "it does not go on")
}

// readNumbers is how often each number was squared.
func readNumbers(t *testing.T, file string) map[int]int {
	t.Helper()
	data, err := os.ReadFile(file)
	require.NoError(t, err)
	times := map[int]int{}
	for line := range strings.Lines(string(data)) {
		var n, attempt int
		_, err := fmt.Sscanf(line, "%d %d\n", &n, &attempt)
		require.NoError(t, err, "%q", line)
		times[n]++
	}
	return times
}

// confirmations reads the history of a completed process: how many tasks of
// each step were confirmed, none of them twice, and the longest time between
// two confirmations.
func confirmations(t *testing.T, r *deed.Runtime, id string) (confirmed map[string]int, stall time.Duration, until time.Time) {
	t.Helper()
	type one struct {
		address string
		index   int
	}
	seen, when := map[one]bool{}, []time.Time{}
	confirmed = map[string]int{}
	last := ""
	for e, err := range orchestrator.History(t.Context(), r.Archive, id) {
		require.NoError(t, err)
		event, err := process.Decode(process.Stored{Type: e.Type, Schema: e.Schema, Data: e.Data})
		require.NoError(t, err)
		last = e.Type
		done, ok := event.(process.TasksConfirmed)
		if !ok {
			continue
		}
		when = append(when, done.At)
		for i := range done.Tasks.All() {
			require.False(t, seen[one{done.Address, i}], "%s[%d] is confirmed twice", done.Address, i)
			seen[one{done.Address, i}] = true
			confirmed[done.Address]++
		}
	}
	require.Equal(t, "process-completed", last)
	slices.SortFunc(when, time.Time.Compare)
	for i := range when[1:] {
		if gap := when[i+1].Sub(when[i]); gap > stall {
			stall, until = gap, when[i+1]
		}
	}
	return confirmed, stall, until
}
