package nats_test

import (
	"context"
	"fmt"
	"log"
	"os"
	"time"

	natsgo "github.com/nats-io/nats.go"

	"github.com/deedrun/deed/internal/natsconn"
	"github.com/deedrun/deed/queue"
	"github.com/deedrun/deed/queue/nats"
)

// exampleServer is a server of the example's own, and a connection to it.
func exampleServer() (nc *natsgo.Conn, leave func()) {
	dir, err := os.MkdirTemp("", "lanes")
	if err != nil {
		log.Panic(err)
	}
	server, err := natsconn.Start(natsconn.ServerOptions{Dir: dir, Token: "secret"})
	if err != nil {
		log.Panic(err)
	}
	nc, err = natsconn.Connect(context.Background(), server.URL(), "secret", natsconn.ConnOptions{})
	if err != nil {
		log.Panic(err)
	}
	return nc, func() {
		nc.Close()
		server.Close()
		_ = os.RemoveAll(dir)
	}
}

// Two pools of workers take from one queue, each from its own lane.
func ExampleOpenLanes() {
	ctx := context.Background()
	nc, leave := exampleServer() // any NATS server with JetStream
	defer leave()

	work, err := nats.OpenLanes(ctx, nc, nats.Options{Name: "work", Lease: time.Minute})
	if err != nil {
		log.Panic(err)
	}
	defer work.Flush() // before the connection is closed
	_ = work.Send(ctx,
		queue.Message{Lane: "gpu", Key: "album-7", Body: []byte("find the faces")},
		queue.Message{Key: "album-7", Body: []byte("make a thumbnail")},
	)
	gpu, _ := work.Lane(ctx, "gpu")
	for _, lane := range []queue.Queue{gpu, work} {
		got, _ := lane.Receive(ctx, 10, time.Second)
		for _, d := range got {
			fmt.Printf("delivery %d of %s: %s\n", d.Count, d.Key, d.Body)
		}
		_ = lane.Ack(ctx, got...)
	}
	// Output:
	// delivery 1 of album-7: find the faces
	// delivery 1 of album-7: make a thumbnail
}
