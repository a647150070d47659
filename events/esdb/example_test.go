package esdb_test

import (
	"context"
	"fmt"
	"os"

	"github.com/deedrun/deed/events"
	"github.com/deedrun/deed/events/esdb"
)

// Several deeds share a server when each has a prefix of its own.
func Example() {
	ctx := context.Background()
	driver, err := esdb.Open(ctx, os.Getenv("EVENTSTORE")+"?streamPrefix=nightly", esdb.Options{})
	if err != nil {
		fmt.Println(err)
		return
	}
	store := events.New(driver)
	defer store.Close()
	fmt.Println(store.Streams(ctx, "process-"))
}
