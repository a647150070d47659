package main

import (
	"encoding/csv"
	"flag"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"syscall"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/deedrun/deed"
	"github.com/deedrun/deed/orchestrator"
)

// follow is where the figure of docs/scaling.md is written, with its numbers. It
// takes minutes, since it shows what happens in minutes.
var follow = flag.String("follow", "", "let autoscale follow a load that rises and falls tenfold, and write scaling.csv and scaling.svg into this `folder`")

// The load: tasks of half a second, so many a second, in processes of a quarter.
const (
	napping = `
deed: v1
name: nap
inputs: [x]
steps:
  nap: {run: [sleep, "0.5"], each: x}
`
	calm, busy = 4, 40
	from, to   = 40 * time.Second, 110 * time.Second // when it is busy
	lasts      = 200 * time.Second
)

func arriving(at time.Duration) int {
	if at >= from && at < to {
		return busy
	}
	return calm
}

// sample is a second of the figure.
type sample struct {
	at      time.Duration
	load    int // tasks a second
	tasks   int // that have not ended
	backlog time.Duration
	workers int // that live
}

// L12 of the promises: the backlog rises or falls, and the number of workers follows.
func TestAutoscaleFollowsALoadThatRisesAndFallsTenfold(t *testing.T) {
	if *follow == "" {
		t.Skip("it takes minutes: -follow DIR")
	}
	folder, err := filepath.Abs(*follow)
	require.NoError(t, err)
	dir := t.TempDir()
	r, err := deed.Open(t.Context(), deed.Options{Dir: filepath.Join(dir, ".deed")})
	require.NoError(t, err)
	defer r.Close()
	leave := startKeeper(t, dir)
	samples := followLoad(t, r)
	leave()

	peak := samples[int(to.Seconds())-1]
	last := samples[len(samples)-1]
	t.Logf("at the end of the busy time: %+v; at the end: %+v", peak, last)
	require.GreaterOrEqual(t, peak.workers, 10, "20 slots are busy")
	require.LessOrEqual(t, last.workers, 2, "two slots are busy")
	require.Less(t, last.tasks, 20, "nothing was left")
	writeSamples(t, filepath.Join(folder, "scaling.csv"), samples)
	require.NoError(t, os.WriteFile(filepath.Join(folder, "scaling.svg"), []byte(drawSamples(samples)), 0o644))
}

// startKeeper starts the real command. It is to be told to leave before the
// server ends.
func startKeeper(t *testing.T, dir string) (leave func()) {
	t.Helper()
	self, err := os.Executable()
	require.NoError(t, err)
	cmd := exec.CommandContext(t.Context(), self, "autoscale", "--min", "1", "--max", "12", "--concurrency", "2",
		"--target", "2s", "--cooldown", "20s", "--interval", "1s")
	cmd.Dir, cmd.Env = dir, append(os.Environ(), beDeed+"=1")
	cmd.Stdout, cmd.Stderr = os.Stdout, os.Stderr
	require.NoError(t, cmd.Start())
	return func() {
		require.NoError(t, cmd.Process.Signal(syscall.SIGTERM))
		require.NoError(t, cmd.Wait())
	}
}

// followLoad submits the load, a process a quarter of a second, and looks once a
// second.
func followLoad(t *testing.T, r *deed.Runtime) (samples []sample) {
	t.Helper()
	source := deed.MustParse(napping)
	began := time.Now()
	quarter := time.NewTicker(time.Second / 4)
	defer quarter.Stop()
	for n := range 4 * int(lasts.Seconds()) {
		load := arriving(time.Duration(n) * time.Second / 4)
		values := make([]any, load/4)
		for i := range values {
			values[i] = i
		}
		job := deed.Job{Source: source, Inputs: map[string]deed.Input{"x": deed.Values(values...)}}
		require.NoError(t, r.Submit(t.Context(), fmt.Sprintf("nap-%d", n), job))
		<-quarter.C
		if n%4 < 3 {
			continue
		}
		v, err := r.Look(t.Context(), "")
		require.NoError(t, err)
		samples = append(samples, sampleOf(v, time.Since(began), load))
	}
	return samples
}

func sampleOf(v orchestrator.View, at time.Duration, load int) sample {
	s := sample{at: at, load: load, workers: len(v.Workers)}
	for _, p := range v.Pools {
		s.tasks += p.Waiting + p.Out
		s.backlog += time.Duration(p.Backlog)
	}
	return s
}

func writeSamples(t *testing.T, path string, samples []sample) {
	t.Helper()
	file, err := os.Create(path)
	require.NoError(t, err)
	w := csv.NewWriter(file)
	require.NoError(t, w.Write([]string{"seconds", "tasks_a_second", "tasks", "backlog_seconds", "workers"}))
	for _, s := range samples {
		require.NoError(t, w.Write([]string{
			fmt.Sprintf("%.1f", s.at.Seconds()), strconv.Itoa(s.load), strconv.Itoa(s.tasks),
			fmt.Sprintf("%.2f", s.backlog.Seconds()), strconv.Itoa(s.workers),
		}))
	}
	w.Flush()
	require.NoError(t, w.Error())
	require.NoError(t, file.Close())
}
