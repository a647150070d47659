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

// A view folds commits, and stores with what it made of them the checkpoint.
func ExampleStore_Subscribe() {
	ctx := context.Background()
	store := events.New(mem.New())
	defer store.Close()
	for i, stream := range []string{"process-1", "other", "process-2"} {
		record := events.Record{Type: "Started", Schema: 1, Data: []byte(`{}`)}
		_, _ = store.Append(ctx, stream, events.NoStream(), fmt.Sprint("commit-", i), record)
	}

	view := struct {
		started int
		seen    events.Checkpoint
	}{} // as it was stored
	sub, err := store.Subscribe(ctx, "process-", view.seen)
	if err != nil {
		fmt.Println(err)
		return
	}
	defer sub.Stop()
	for {
		c, ready, err := sub.Next(ctx, false)
		if err != nil || !ready { // with wait it would go on with what comes
			break
		}
		view.started += len(c.Events)
		view.seen = c.Checkpoint
	}
	fmt.Printf("%+v\n", view)
	// Output: {started:2 seen:3}
}
