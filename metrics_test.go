package deed_test

import (
	"log/slog"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/deedrun/deed"
	"github.com/deedrun/deed/internal/metrics/metricstest"
	"github.com/deedrun/deed/queue"
	"github.com/deedrun/deed/worker"
)

func TestARuntimeTellsWhatIsInItsQueuesAndGoesOnCountingInTheNext(t *testing.T) {
	t.Parallel()
	dir, m := t.TempDir(), deed.NewMetrics("1.0")
	open := func() *deed.Runtime {
		r, err := deed.Open(t.Context(), deed.Options{Dir: dir, Metrics: m, Handlers: worker.NewRegistry(), Log: slog.New(slog.DiscardHandler)})
		require.NoError(t, err)
		t.Cleanup(r.Close)
		require.Eventually(t, func() bool { return r.Ready() == nil }, 20*time.Second, time.Millisecond)
		return r
	}
	r := open()
	require.NoError(t, r.Inbox.Send(t.Context(), queue.Message{Key: "p", Body: []byte("no message of deed")}))
	require.Eventually(t, func() bool {
		told := metricstest.Read(m)
		return told["deed_quarantine_messages"] == 1 && told[`deed_stream_messages{stream="quarantine"}`] == 1 &&
			told["deed_shards_held"] == queue.ShardCount
	}, 20*time.Second, 50*time.Millisecond)
	told := metricstest.Read(m)
	require.Equal(t, 1, told["deed_quarantined_total"])
	require.Equal(t, 1, told["deed_nats_connected"])
	require.Positive(t, told["deed_data_size_bytes"])
	require.Contains(t, told, `deed_stream_replicas_missing{stream="events"}`)
	out := told[`deed_nats_messages_total{direction="out"}`]
	require.Positive(t, out)

	r.Close()
	require.Error(t, r.Ready(), "it has ended")
	told = metricstest.Read(m)
	require.Zero(t, told["deed_nats_connected"])
	require.NotContains(t, told, "deed_worker_slots")

	open()
	require.Eventually(t, func() bool { return metricstest.Read(m)["deed_takeovers_total"] == 2 }, 20*time.Second, 50*time.Millisecond)
	told = metricstest.Read(m)
	require.Equal(t, 1, told["deed_quarantined_total"], "counters go on")
	require.Greater(t, told[`deed_nats_messages_total{direction="out"}`], out)
	require.Equal(t, 1, told["deed_nats_connected"])
}

func TestARuntimeInMemoryMeasuresWhatThereIs(t *testing.T) {
	m := deed.NewMetrics("1.0")
	handlers := worker.NewRegistry()
	r, err := deed.Open(t.Context(), deed.Options{Metrics: m, Handlers: handlers, Log: slog.New(slog.DiscardHandler)})
	require.NoError(t, err)
	defer r.Close()
	require.Eventually(t, func() bool { return metricstest.Read(m)["deed_shards_held"] == queue.ShardCount }, 20*time.Second, time.Millisecond)
	require.NotContains(t, metricstest.Read(m), "deed_quarantine_messages", "its queues are nobody else's business")
}
