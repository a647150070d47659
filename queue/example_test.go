package queue_test

import (
	"context"
	"fmt"
	"time"

	"github.com/deedrun/deed/queue"
	"github.com/deedrun/deed/queue/mem"
)

// A message whose consumer fell silent goes to another one, with a higher count.
func Example() {
	ctx := context.Background()
	now := time.Unix(0, 0)
	q := mem.NewQueue(mem.Options{Lease: 10 * time.Second, Now: func() time.Time { return now }})

	_ = q.Send(ctx, queue.Message{Key: "word-count-1", Body: []byte("count the words of part 7")})
	for range 2 {
		got, _ := q.Receive(ctx, 1, 0)
		fmt.Printf("delivery %d: %s\n", got[0].Count, got[0].Body)
		now = now.Add(q.Lease())
	}
	got, _ := q.Receive(ctx, 1, 0)
	_ = q.Ack(ctx, got...)
	pending, _ := q.Pending(ctx, "word-count-1")
	fmt.Println("left after the ack:", pending)
	// Output:
	// delivery 1: count the words of part 7
	// delivery 2: count the words of part 7
	// left after the ack: 0
}
