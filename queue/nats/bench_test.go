package nats_test

import (
	"context"
	"fmt"
	"slices"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/deedrun/deed/queue"
	"github.com/deedrun/deed/queue/nats"
)

const benchMessages = 10_000

func benchQueue(b *testing.B) *nats.Queue {
	back := startBackend(b)
	q, err := nats.Open(b.Context(), back.connect(b), nats.Options{Name: "bench", Async: true})
	require.NoError(b, err)
	return q
}

// benchSharded holds all shards, as an orchestrator that is alone does.
func benchSharded(b *testing.B) *nats.Sharded {
	back := startBackend(b)
	s := openSharded(b, back.connect(b), nats.Options{Name: "bench", Async: true})
	require.NoError(b, s.Hold(b.Context(), queue.AllShards))
	return s
}

func benchBatch() []queue.Message {
	messages := make([]queue.Message, benchMessages)
	for i := range messages {
		messages[i] = queue.Message{Key: "k", Body: make([]byte, 256)}
	}
	return messages
}

func BenchmarkSend10000(b *testing.B) {
	q := benchQueue(b)
	messages := benchBatch()
	for b.Loop() {
		require.NoError(b, q.Send(b.Context(), messages...))
		b.StopTimer()
		require.NoError(b, q.Purge(b.Context(), "k"))
		b.StartTimer()
	}
	b.ReportMetric(float64(b.N*benchMessages)/b.Elapsed().Seconds(), "msgs/s")
}

func BenchmarkReceiveAndAck(b *testing.B) {
	for _, consumers := range []int{1, 2, 8} {
		for _, limit := range []int{1, 10, 100} {
			b.Run(fmt.Sprintf("consumers=%d/max=%d", consumers, limit), func(b *testing.B) {
				q := benchQueue(b)
				messages := benchBatch()
				for b.Loop() {
					b.StopTimer()
					require.NoError(b, q.Send(b.Context(), messages...))
					b.StartTimer()
					drain(b, q, consumers, limit)
				}
				b.ReportMetric(float64(b.N*benchMessages)/b.Elapsed().Seconds(), "msgs/s")
			})
		}
	}
}

// drain receives and acks what a batch holds.
func drain(b *testing.B, q queue.Queue, consumers, limit int) {
	var left atomic.Int64
	left.Store(benchMessages)
	ctx, finished := context.WithCancel(b.Context())
	defer finished()
	var group sync.WaitGroup
	for range consumers {
		group.Go(func() {
			for {
				got, err := q.Receive(ctx, limit, time.Minute)
				if ctx.Err() != nil {
					return
				}
				if err == nil {
					err = q.Ack(b.Context(), got...)
				}
				if err != nil {
					b.Error(err)
					finished()
					return
				}
				if left.Add(-int64(len(got))) == 0 {
					finished()
				}
			}
		})
	}
	group.Wait()
}

func BenchmarkReceiveAndAckOfShards(b *testing.B) {
	for _, keys := range []int{1, 100} {
		for _, limit := range []int{10, 1000} {
			b.Run(fmt.Sprintf("keys=%d/max=%d", keys, limit), func(b *testing.B) {
				q := benchSharded(b)
				messages := benchBatch()
				for i := range messages {
					messages[i].Key = fmt.Sprintf("process-%d", i%keys)
				}
				for b.Loop() {
					b.StopTimer()
					require.NoError(b, q.Send(b.Context(), messages...))
					b.StartTimer()
					drain(b, q, 1, limit)
				}
				b.ReportMetric(float64(b.N*benchMessages)/b.Elapsed().Seconds(), "msgs/s")
			})
		}
	}
}

func BenchmarkReceiveAndAckOfALane(b *testing.B) {
	for _, limit := range []int{10, 100} {
		b.Run(fmt.Sprintf("max=%d", limit), func(b *testing.B) {
			back := startBackend(b)
			lanes, err := nats.OpenLanes(b.Context(), back.connect(b), nats.Options{Name: "bench", Async: true})
			require.NoError(b, err)
			for _, name := range []string{"a", "b", "c"} {
				_, err := lanes.Lane(b.Context(), name)
				require.NoError(b, err)
			}
			messages := benchBatch()
			for b.Loop() {
				b.StopTimer()
				require.NoError(b, lanes.Send(b.Context(), messages...))
				b.StartTimer()
				drain(b, lanes, 1, limit)
			}
			b.ReportMetric(float64(b.N*benchMessages)/b.Elapsed().Seconds(), "msgs/s")
		})
	}
}

// BenchmarkHold is what the first holder of all shards waits for, and the next.
func BenchmarkHold(b *testing.B) {
	back := startBackend(b)
	nc := back.connect(b)
	var first, next time.Duration
	for i := 0; b.Loop(); i++ {
		o := nats.Options{Name: fmt.Sprintf("bench-%d", i), Async: true}
		for _, took := range []*time.Duration{&first, &next} {
			s := openSharded(b, nc, o)
			began := time.Now()
			require.NoError(b, s.Hold(b.Context(), queue.AllShards))
			*took += time.Since(began)
			require.NoError(b, s.Hold(b.Context(), 0))
		}
	}
	b.ReportMetric(first.Seconds()*1000/float64(b.N), "first-ms")
	b.ReportMetric(next.Seconds()*1000/float64(b.N), "next-ms")
}

// BenchmarkHop is the time from Send until a Receive that waits has returned.
func BenchmarkHop(b *testing.B) {
	b.Run("plain", func(b *testing.B) { hop(b, benchQueue(b)) })
	b.Run("shards", func(b *testing.B) { hop(b, benchSharded(b)) })
}

func hop(b *testing.B, q queue.Queue) {
	arrived := make(chan time.Time)
	ctx, stop := context.WithCancel(b.Context())
	var group sync.WaitGroup
	group.Go(func() {
		defer close(arrived)
		for {
			got, err := q.Receive(ctx, 10, time.Minute)
			if err != nil {
				return
			}
			now := time.Now()
			_ = q.Ack(ctx, got...)
			select {
			case arrived <- now:
			case <-ctx.Done():
				return
			}
		}
	})
	var hops []time.Duration
	for b.Loop() {
		sent := time.Now()
		require.NoError(b, q.Send(b.Context(), queue.Message{Key: "k", Body: make([]byte, 256)}))
		hops = append(hops, (<-arrived).Sub(sent))
	}
	stop()
	group.Wait()
	slices.Sort(hops)
	b.ReportMetric(float64(hops[len(hops)/2].Microseconds()), "p50-µs")
	b.ReportMetric(float64(hops[len(hops)*99/100].Microseconds()), "p99-µs")
}
