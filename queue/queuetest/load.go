package queuetest

import (
	"context"
	"fmt"
	"strconv"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"golang.org/x/sync/errgroup"

	"github.com/deedrun/deed/queue"
)

func runLoad(s suite) {
	s.run("thousands of messages go in one Send", func(t *testing.T, open Open) {
		w := open(t, long)
		const n = 5000
		send(t, w.A, numbered("k", n)...)
		pendingBecomes(t, w.B, "k", n)
		got := bodies(receiveAll(t, w.B, n))
		for i, body := range got {
			if body != strconv.Itoa(i) {
				require.Fail(t, "out of order", "message %s came at place %d", body, i)
			}
		}
	})

	s.run("many that send and many that receive: without failures each message is handled exactly once", func(t *testing.T, open Open) {
		w := open(t, long)
		const senders, batches, size = 4, 10, 25
		const total = senders * batches * size

		ctx, finished := context.WithCancel(t.Context())
		defer finished()
		var mu sync.Mutex
		seen := map[string]int{}
		var group errgroup.Group
		for s := range senders {
			group.Go(func() error {
				for b := range batches {
					messages := make([]queue.Message, size)
					for i := range messages {
						messages[i] = queue.Message{Key: fmt.Sprintf("sender-%d", s), Body: fmt.Appendf(nil, "%d/%d/%d", s, b, i)}
					}
					if err := w.A.Send(ctx, messages...); err != nil {
						return err
					}
				}
				return nil
			})
		}
		for r := range 6 {
			q := w.A
			if r%2 == 1 {
				q = w.B
			}
			group.Go(func() error {
				for {
					got, err := q.Receive(ctx, 1+r*5, time.Second)
					if ctx.Err() != nil && len(got) == 0 {
						return nil
					}
					if err != nil {
						return err
					}
					if err := q.Ack(t.Context(), got...); err != nil {
						return err
					}
					mu.Lock()
					for _, d := range got {
						seen[string(d.Body)] += d.Count
					}
					if len(seen) == total {
						finished()
					}
					mu.Unlock()
				}
			})
		}
		require.NoError(t, group.Wait())
		require.Len(t, seen, total)
		for body, times := range seen {
			require.Equal(t, 1, times, "message %s", body)
		}
		for s := range senders {
			pendingBecomes(t, w.A, fmt.Sprintf("sender-%d", s), 0)
		}
		assert.Empty(t, receive(t, w.A, 1, 0))
	})
}
