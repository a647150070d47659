package api_test

import (
	"context"
	"fmt"
	"log/slog"

	"github.com/deedrun/deed"
	"github.com/deedrun/deed/api"
	"github.com/deedrun/deed/api/client"
)

// A server, until it is told to leave; package api/client shows how it is spoken to.
func Example() {
	ctx, leave := context.WithCancel(context.Background())
	defer leave()
	runtime, err := deed.Open(ctx, deed.Options{Log: slog.New(slog.DiscardHandler)})
	if err != nil {
		fmt.Println(err)
		return
	}
	defer runtime.Close()
	listener, err := api.Listen(ctx, "127.0.0.1:0")
	if err != nil {
		fmt.Println(err)
		return
	}
	served := make(chan error)
	go func() {
		served <- api.Serve(ctx, listener, api.New(api.Options{Runtime: runtime, Version: "v1"}), slog.New(slog.DiscardHandler))
	}()

	c, err := client.New(api.URL(listener, nil), client.Options{})
	if err != nil {
		fmt.Println(err)
		return
	}
	v, err := c.Version(ctx)
	fmt.Println(v.Version, err)
	c.Close()
	leave()
	fmt.Println(<-served)
	// Output:
	// v1 <nil>
	// <nil>
}
