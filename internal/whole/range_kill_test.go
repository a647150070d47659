package whole_test

import (
	"bufio"
	"bytes"
	"context"
	"fmt"
	"io"
	"log/slog"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/deedrun/deed"
	"github.com/deedrun/deed/orchestrator"
	"github.com/deedrun/deed/orchestrator/process"
	"github.com/deedrun/deed/task"
	"github.com/deedrun/deed/worker"
)

// rangeWorker makes a process of the test binary a worker of a folder.
const rangeWorker = "DEED_TEST_RANGE_WORKER"

func init() {
	dir, asked := os.LookupEnv(rangeWorker)
	if !asked {
		return
	}
	status := 0
	if err := workOnRanges(dir); err != nil {
		fmt.Fprintln(os.Stderr, err)
		status = 1
	}
	os.Exit(status) //nolint:forbidigo // this is the main of a process of its own
}

// workOnRanges works until its standard input ends. Each task writes its index
// and its attempt to the ledger of this process before it ends.
func workOnRanges(dir string) error {
	ledger, err := os.OpenFile(filepath.Join(dir, fmt.Sprintf("ledger-%d", os.Getpid())), os.O_CREATE|os.O_WRONLY|os.O_APPEND, 0o600)
	if err != nil {
		return err
	}
	handlers := worker.NewRegistry()
	worker.Handle(handlers, "range/note", func(_ context.Context, t *worker.Task) error {
		for began := time.Now(); time.Since(began) < 50*time.Microsecond; { // of work, without giving up the processor
		}
		_, err := fmt.Fprintf(ledger, "%d %d\n", t.Index(), t.Attempt())
		return err
	})
	r, err := deed.Open(context.Background(), deed.Options{Dir: dir, Join: true, Handlers: handlers, Workers: 2, Log: slog.New(slog.DiscardHandler)})
	if err != nil {
		return err
	}
	defer r.Close()
	fmt.Fprintln(os.Stdout, "ready")
	_, err = io.Copy(io.Discard, os.Stdin)
	return err
}

// startRangeWorker returns when the worker takes tasks.
func startRangeWorker(t *testing.T, dir string) *exec.Cmd {
	t.Helper()
	self, err := os.Executable()
	require.NoError(t, err)
	cmd := exec.CommandContext(t.Context(), self)
	cmd.Env = append(os.Environ(), rangeWorker+"="+dir)
	cmd.Stderr = os.Stderr
	in, err := cmd.StdinPipe()
	require.NoError(t, err)
	out, err := cmd.StdoutPipe()
	require.NoError(t, err)
	require.NoError(t, cmd.Start())
	t.Cleanup(func() {
		_ = in.Close()
		_ = cmd.Wait()
	})
	said, err := bufio.NewReader(out).ReadString('\n')
	require.NoError(t, err)
	require.Equal(t, "ready\n", said)
	return cmd
}

// noted is what a worker wrote into its ledger: attempts by index. A line that a
// kill cut off was not executed to its end.
func noted(t *testing.T, dir string, pid int) map[int][]int {
	t.Helper()
	data, err := os.ReadFile(filepath.Join(dir, fmt.Sprintf("ledger-%d", pid)))
	require.NoError(t, err)
	all := map[int][]int{}
	for line := range strings.Lines(string(data[:bytes.LastIndexByte(data, '\n')+1])) {
		var index, attempt int
		_, err := fmt.Sscanf(line, "%d %d\n", &index, &attempt)
		require.NoError(t, err)
		all[index] = append(all[index], attempt)
	}
	return all
}

func TestOfAWorkerThatIsKilledInTheMiddleOfARangeOnlyWhatItHadNotReportedRunsAgain(t *testing.T) {
	t.Parallel()
	const tasks, lease = 10_000, 3 * time.Second
	dir := t.TempDir()
	r, err := deed.Open(t.Context(), deed.Options{Dir: dir, Lease: lease, Log: slog.New(slog.DiscardHandler)})
	require.NoError(t, err)
	defer r.Close()
	victim := startRangeWorker(t, dir)
	values := make([]any, tasks)
	for i := range values {
		values[i] = i
	}
	source := deed.MustParse("deed: v1\nname: ranges\ninputs: [in]\nsteps: {work: {run: range/note, each: in}}\n")
	require.NoError(t, r.Submit(t.Context(), "p", deed.Job{Source: source, Inputs: map[string]deed.Input{"in": deed.Values(values...)}}))
	require.Eventually(t, func() bool { // it is in the middle of the tasks, and so, as short as they are, of a range
		info, err := os.Stat(filepath.Join(dir, fmt.Sprintf("ledger-%d", victim.Process.Pid)))
		return err == nil && info.Size() > 10_000
	}, time.Minute, time.Millisecond)
	require.NoError(t, victim.Process.Kill())
	killed := time.Now()
	heir := startRangeWorker(t, dir)

	result, err := r.Wait(t.Context(), "p", nil)
	require.NoError(t, err)
	took := time.Since(killed)
	require.Equal(t, tasks, result.State.Steps()[0].Confirmed)
	require.Less(t, took, 2*lease)

	before, after := noted(t, dir, victim.Process.Pid), noted(t, dir, heir.Process.Pid)
	require.Less(t, len(before), tasks, "it was killed in the middle")
	confirmed, lost := map[int]int{}, task.Ranges{}
	batches := 0
	for stored, err := range orchestrator.History(t.Context(), r.Events, "p") {
		require.NoError(t, err)
		e, err := process.Decode(process.Stored{Type: stored.Type, Schema: stored.Schema, Data: stored.Data})
		require.NoError(t, err)
		switch e := e.(type) {
		case process.TasksConfirmed:
			for i := range e.Tasks.All() {
				require.Zero(t, confirmed[i], "task %d counts once", i)
				confirmed[i] = e.Attempt
			}
			if e.Tasks.Len() > 1 {
				batches++
			}
		case process.TasksLost:
			lost = lost.Union(e.Tasks)
		}
	}
	require.Positive(t, batches)
	require.Greater(t, lost.Len(), 1, "with the worker a range was lost")
	for i, attempts := range after {
		_, twice := before[i]
		switch {
		case lost.Contains(i):
			require.Equal(t, []int{2}, attempts, "task %d", i)
		default:
			require.Equal(t, []int{1}, attempts, "task %d", i)
			require.False(t, twice, "task %d had been reported, and ran again", i)
		}
	}
	for i := range lost.All() {
		require.Equal(t, 2, confirmed[i], "task %d", i)
		require.Len(t, after[i], 1)
	}
	for i := range task.Span(0, tasks).Minus(lost).All() {
		require.Equal(t, 1, len(before[i])+len(after[i]), "task %d ran once", i)
	}
	t.Logf("%d tasks were executed by the one that was killed, %d were lost with it; all was done %s after, with a lease of %s", len(before), lost.Len(), took.Round(10*time.Millisecond), lease)
}
