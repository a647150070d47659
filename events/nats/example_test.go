package nats_test

import (
	"context"
	"fmt"

	"github.com/nats-io/nats.go"

	"github.com/deedrun/deed/events"
	eventsnats "github.com/deedrun/deed/events/nats"
)

// The log of deed on three servers of a cluster, for whoever reads along.
func Example() {
	ctx := context.Background()
	nc, err := nats.Connect("nats://127.0.0.1:4222")
	if err != nil {
		fmt.Println(err)
		return
	}
	defer nc.Close()
	driver, err := eventsnats.Open(ctx, nc, eventsnats.Options{Replicas: 3})
	if err != nil {
		fmt.Println(err)
		return
	}
	store := events.New(driver)
	defer store.Close()
	for e, err := range store.Read(ctx, "process-word-count", 0) {
		fmt.Println(e.Version, e.Type, err)
	}
}
