package bench

import (
	"context"
	"encoding/json"
	"io"
	"log"
	"os"
	"os/signal"
	"path/filepath"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

// beChild makes the test binary the child of a Plan.
const beChild = "DEED_TEST_BENCH_CHILD"

func TestMain(m *testing.M) {
	if os.Getenv(beChild) == "" {
		m.Run()
		return
	}
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt)
	err := Child(ctx, os.Stdin, os.Stdout)
	stop()
	if err != nil {
		log.New(os.Stderr, "", 0).Fatal(err)
	}
}

// plan measures a scenario by children that are this test binary.
func plan(t *testing.T, s Scenario, n int, params any) *Plan {
	t.Helper()
	t.Setenv(beChild, "1")
	self, err := os.Executable()
	require.NoError(t, err)
	return &Plan{Scenario: s, N: n, Params: params, Rounds: 1, Dir: t.TempDir(), Command: []string{self, "-test.run=^$"}}
}

func TestAFanoutInvokesEachHandlerOnceAndLeavesNothing(t *testing.T) {
	for _, values := range []bool{false, true} {
		p := plan(t, Fanout(), 500, FanoutParams{N: 500, Values: values})
		p.Rounds = 2
		r, err := p.Run(t.Context())
		require.NoError(t, err)
		require.Equal(t, []string{"raw", "single", "ranges"}, r.Subjects)
		require.Len(t, r.All, 2)
		for name, m := range r.Measures {
			require.EqualValues(t, 500, m.Invoked, name)
			require.EqualValues(t, 500, m.Tasks, name)
			require.Positive(t, m.TasksPS, name)
			require.Positive(t, m.CPU, name)
			require.Positive(t, m.Disk, name)
		}
		require.Zero(t, r.Measures["raw"].Ratio)
		require.InDelta(t, r.Measures["ranges"].TasksPS/r.Measures["raw"].TasksPS, r.Measures["ranges"].Ratio, 1e-9)
		require.Empty(t, folders(t, p.Dir))
	}
}

func TestAChainMeasuresAHopBetweenAnyTwoSteps(t *testing.T) {
	r, err := plan(t, Chain(), 4, ChainParams{N: 4, Width: 3, Idle: 0.01}).Run(t.Context())
	require.NoError(t, err)
	for name, m := range r.Measures {
		require.EqualValues(t, 12, m.Invoked, name)
		require.Positive(t, m.P50, name)
		require.LessOrEqual(t, m.P50, m.P99, name)
		require.Contains(t, m.Also, "idle_cpu_percent", name)
	}
}

func TestEachChildLeavesAProfileIfOneIsWanted(t *testing.T) {
	p := plan(t, Chain(), 1, ChainParams{N: 1, Width: 1})
	p.Profiles = filepath.Join(t.TempDir(), "profiles")
	_, err := p.Run(t.Context())
	require.NoError(t, err)
	for _, name := range []string{"chain-raw-1.pprof", "chain-single-1.pprof", "chain-ranges-1.pprof"} {
		profile, err := os.ReadFile(filepath.Join(p.Profiles, name))
		require.NoError(t, err)
		require.NotEmpty(t, profile)
	}
}

func TestAnInterruptedMeasurementLeavesNoFolder(t *testing.T) {
	p := plan(t, Chain(), 1, ChainParams{N: 1, Width: 1, Idle: 3600})
	ctx, cancel := context.WithCancel(t.Context())
	done := make(chan error, 1)
	go func() {
		_, err := p.Run(ctx)
		done <- err
	}()
	require.Eventually(t, func() bool { // the child has begun
		in, err := filepath.Glob(filepath.Join(p.Dir, folderPrefix+"*", "jetstream"))
		return err == nil && len(in) == 1
	}, 20*time.Second, 10*time.Millisecond)
	cancel()
	require.ErrorIs(t, <-done, context.Canceled)
	require.Empty(t, folders(t, p.Dir))
}

func TestAChildWhoseParentIsGoneEndsAndTidiesUp(t *testing.T) {
	dir := filepath.Join(t.TempDir(), folderPrefix+"1")
	params, err := json.Marshal(ChainParams{N: 1, Width: 1, Idle: 3600})
	require.NoError(t, err)
	told, err := json.Marshal(order{Scenario: "chain", Subject: "raw", Dir: dir, Params: params})
	require.NoError(t, err)
	in, out := io.Pipe()
	done := make(chan error, 1)
	go func() { done <- Child(t.Context(), in, io.Discard) }()
	_, err = out.Write(told)
	require.NoError(t, err)
	require.Eventually(t, func() bool {
		_, err := os.Stat(filepath.Join(dir, "jetstream"))
		return err == nil
	}, 20*time.Second, 10*time.Millisecond)
	require.NoError(t, out.Close())
	require.ErrorIs(t, <-done, errLeft)
	require.NoDirExists(t, dir)
}

func TestWhatFailsInAChildIsToldByItsParent(t *testing.T) {
	_, err := plan(t, Fanout(), 1, FanoutParams{N: 0}).Run(t.Context())
	require.ErrorContains(t, err, "bench fanout: raw, round 1: raw loop: 1 steps of 0 tasks")

	_, err = plan(t, Scenario{Name: "fanout", Subjects: []Subject{{Name: "magic"}}}, 1, FanoutParams{N: 1}).Run(t.Context())
	require.ErrorContains(t, err, `there is no subject "magic" of a scenario "fanout"`)

	p := plan(t, Fanout(), 1, FanoutParams{N: 1})
	p.Dir = filepath.Join(p.Dir, "file")
	require.NoError(t, os.WriteFile(p.Dir, nil, 0o600))
	_, err = p.Run(t.Context())
	require.ErrorContains(t, err, "choose another folder with --data")
}

func folders(t *testing.T, dir string) []os.DirEntry {
	t.Helper()
	left, err := os.ReadDir(dir)
	require.NoError(t, err)
	return left
}
