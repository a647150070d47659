package events_test

import (
	"context"
	"fmt"

	"github.com/deedrun/deed/events"
	"github.com/deedrun/deed/events/mem"
)

func ExampleStore_Append() {
	ctx := context.Background()
	store := events.New(mem.New())
	version, _ := store.Append(ctx, "process-1", events.NoStream(), "commit-1", events.Record{Type: "Started", Schema: 1, Data: []byte(`{"by":"me"}`)})

	_, err := store.Append(ctx, "process-1", events.NoStream(), "commit-2", events.Record{Type: "Started", Schema: 1, Data: []byte(`{"by":"you"}`)})
	fmt.Println(version)
	fmt.Println(err)
	for e := range store.Read(ctx, "process-1", 0) {
		fmt.Println(e.Version, e.Type, string(e.Data))
	}
	// Output:
	// 1
	// append to stream "process-1": expected no stream, it is at version 1: somebody else wrote; reload and decide again
	// 1 Started {"by":"me"}
}

// A view folds commits, and stores with what it made of them how far it has come.
func ExampleStore_Subscribe() {
	ctx := context.Background()
	store := events.New(mem.New())
	defer store.Close()
	for i, stream := range []string{"process-1", "other", "process-2"} {
		record := events.Record{Type: "Started", Schema: 1, Data: []byte(`{}`)}
		_, _ = store.Append(ctx, stream, events.NoStream(), fmt.Sprint("commit-", i), record)
	}

	var seen events.Checkpoint // as it was stored
	sub, err := store.Subscribe(ctx, "process-", seen)
	if err != nil {
		fmt.Println(err)
		return
	}
	defer sub.Stop()
	for {
		c, ready, err := sub.Next(ctx, false)
		if err != nil || !ready { // with wait it would go on with what comes
			return
		}
		seen = c.Checkpoint
		fmt.Println(c.Stream, c.Version())
	}
	// Output:
	// process-1 1
	// process-2 1
}
