package whole_test

import (
	"encoding/json"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/deedrun/deed/events"
	"github.com/deedrun/deed/events/esdb"
	eventsnats "github.com/deedrun/deed/events/nats"
	"github.com/deedrun/deed/internal/esdbtest"
	"github.com/deedrun/deed/internal/natsconn"
)

// coldVariable holds a coldStart in the environment of the process that makes it.
const coldVariable = "DEED_BENCH_COLD_START"

// BenchmarkColdStart measures how long an orchestrator needs, from the moment
// its operating-system process is made, until a process of a million confirmed
// tasks is in memory and resumed. It runs itself as that new process. Backends
// in memory are missing: nothing of them is left to start from.
func BenchmarkColdStart(b *testing.B) {
	if told := os.Getenv(coldVariable); told != "" {
		beginCold(b, told)
		return
	}
	for _, h := range []struct {
		name         string
		report, runs int
	}{
		{"10k-events", 100, 1},
		{"40k-events-of-4-runs", 100, 4},
		{"40k-events-of-small-reports", 25, 1},
	} {
		b.Run(h.name, func(b *testing.B) {
			history := newLongHistory(b, h.report, h.runs)
			for name, prepare := range map[string]func(*testing.B, *longHistory) func(*testing.B) coldStart{
				"nats-folder": natsFolder, "nats-folder-after-a-kill": killedFolder, "nats-server": natsServer, "esdb": esdbServer,
			} {
				b.Run(name, func(b *testing.B) {
					prepared := prepare(b, history)
					for _, snapshots := range []bool{true, false} {
						b.Run(map[bool]string{true: "snapshot", false: "history"}[snapshots], func(b *testing.B) {
							var all []coldTimes
							for b.Loop() {
								start := prepared(b)
								start.Snapshots = snapshots
								all = append(all, startCold(b, start))
							}
							report(b, all)
						})
					}
				})
			}
		})
	}
}

// natsFolder is a folder that its server closed in order.
func natsFolder(b *testing.B, h *longHistory) func(*testing.B) coldStart {
	dir, blobs := b.TempDir(), "file://"+b.TempDir()
	server := fill(b, h, dir, blobs)
	server.Close()
	return func(*testing.B) coldStart { return coldStart{Dir: dir, Blobs: blobs} }
}

// killedFolder is a folder as it is while its server runs, so as it is left by
// one that is killed. Each start has a copy of its own, since it mends that.
func killedFolder(b *testing.B, h *longHistory) func(*testing.B) coldStart {
	dir, left, blobs := b.TempDir(), filepath.Join(b.TempDir(), "left"), "file://"+b.TempDir()
	server := fill(b, h, dir, blobs)
	defer server.Close()
	require.NoError(b, os.CopyFS(left, os.DirFS(dir)))
	return func(b *testing.B) coldStart {
		again := filepath.Join(b.TempDir(), "again")
		require.NoError(b, os.CopyFS(again, os.DirFS(left)))
		return coldStart{Dir: again, Blobs: blobs}
	}
}

// natsServer is a server that runs already.
func natsServer(b *testing.B, h *longHistory) func(*testing.B) coldStart {
	dir, blobs := b.TempDir(), "file://"+b.TempDir()
	server := fill(b, h, dir, blobs)
	b.Cleanup(server.Close)
	return func(*testing.B) coldStart { return coldStart{NATS: server.URL(), Token: server.Token(), Blobs: blobs} }
}

// esdbServer is the double of EventStoreDB in this process.
func esdbServer(b *testing.B, h *longHistory) func(*testing.B) coldStart {
	server, err := esdbtest.Start(esdbtest.Options{})
	require.NoError(b, err)
	b.Cleanup(server.Stop)
	driver, err := esdb.Open(b.Context(), server.URL(), esdb.Options{})
	require.NoError(b, err)
	store := events.New(driver)
	defer store.Close()
	blobs := "file://" + b.TempDir()
	h.store(b.Context(), b, store, blobs)
	return func(*testing.B) coldStart { return coldStart{ESDB: server.URL(), Blobs: blobs} }
}

// fill is a server whose folder holds the history and the queues.
func fill(b *testing.B, h *longHistory, dir, blobs string) *natsconn.Server {
	server, err := natsconn.Start(natsconn.ServerOptions{Dir: dir, NoSync: true})
	require.NoError(b, err)
	conn, err := server.Connect(natsconn.ConnOptions{})
	require.NoError(b, err)
	defer conn.Close()
	driver, err := eventsnats.Open(b.Context(), conn, eventsnats.Options{})
	require.NoError(b, err)
	h.store(b.Context(), b, events.New(driver), blobs)
	_, _, _, err = natsQueues(b.Context(), conn, 0)
	require.NoError(b, err)
	return server
}

// startCold makes a new process of this test binary and returns what it measured.
func startCold(b *testing.B, start coldStart) (took coldTimes) {
	start.Answer = filepath.Join(b.TempDir(), "took.json")
	cmd := exec.CommandContext(b.Context(), os.Args[0], "-test.run=^$", "-test.bench=^BenchmarkColdStart$", "-test.benchtime=1x")
	start.Began = time.Now()
	told, err := json.Marshal(start)
	require.NoError(b, err)
	cmd.Env = append(os.Environ(), coldVariable+"="+string(told))
	said, err := cmd.CombinedOutput()
	require.NoError(b, err, "%s", said)
	answer, err := os.ReadFile(start.Answer)
	require.NoError(b, err, "%s", said)
	require.NoError(b, json.Unmarshal(answer, &took))
	return took
}

// beginCold is the new process.
func beginCold(b *testing.B, told string) {
	var start coldStart
	require.NoError(b, json.Unmarshal([]byte(told), &start))
	took, err := start.begin(b.Context())
	require.NoError(b, err)
	answer, err := json.Marshal(took)
	require.NoError(b, err)
	require.NoError(b, os.WriteFile(start.Answer, answer, 0o600))
}

// report gives the medians, in milliseconds.
func report(b *testing.B, all []coldTimes) {
	median := func(of func(coldTimes) time.Duration) float64 {
		var list []time.Duration
		for _, t := range all {
			list = append(list, of(t))
		}
		slices.Sort(list)
		return float64(list[len(list)/2].Microseconds()) / 1000
	}
	b.ReportMetric(0, "ns/op") // it would count the checks and the end of the process
	b.ReportMetric(median(func(t coldTimes) time.Duration { return t.Exec }), "ms-1-exec")
	b.ReportMetric(median(func(t coldTimes) time.Duration { return t.Server }), "ms-2-server")
	b.ReportMetric(median(func(t coldTimes) time.Duration { return t.Open }), "ms-3-open")
	b.ReportMetric(median(func(t coldTimes) time.Duration { return t.Resume }), "ms-4-resume")
	b.ReportMetric(median(func(t coldTimes) time.Duration { return t.Exec + t.Server + t.Open + t.Resume }), "ms-all")
}
