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
func drain(b *testing.B, q *nats.Queue, consumers, limit int) {
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

// BenchmarkHop is the time from Send until a Receive that waits has returned.
func BenchmarkHop(b *testing.B) {
	q := benchQueue(b)
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
