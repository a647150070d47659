package api_test

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"log/slog"

	"github.com/deedrun/deed"
	"github.com/deedrun/deed/api"
	"github.com/deedrun/deed/api/client"
	"github.com/deedrun/deed/api/wire"
)

// A server, and a client that submits a process, watches it and reads what it wrote.
func Example() {
	ctx, leave := context.WithCancel(context.Background())
	defer leave()
	runtime, err := deed.Open(ctx, deed.Options{Handlers: greeters(nil), Log: slog.New(slog.DiscardHandler)})
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
		served <- api.Serve(ctx, listener, api.New(api.Options{Runtime: runtime}), slog.New(slog.DiscardHandler))
	}()

	c, err := client.New("http://"+listener.Addr().String(), client.Options{})
	if err != nil {
		fmt.Println(err)
		return
	}
	job := wire.Submit{ID: "hello-1", Definition: hello, Inputs: map[string]wire.Input{"names": {Values: []json.RawMessage{[]byte(`"Ann"`), []byte(`"Bo"`)}}}}
	if _, err := c.Submit(ctx, job); err != nil {
		fmt.Println(err)
		return
	}
	for standing, err := range c.Watch(ctx, "hello-1", 0) {
		if err != nil {
			fmt.Println(err)
			return
		}
		if standing.Ended() {
			fmt.Println(standing.Status)
		}
	}
	text, err := c.OpenPart(ctx, "hello-1", "text", 0)
	if err != nil {
		fmt.Println(err)
		return
	}
	content, _ := io.ReadAll(text)
	fmt.Println(string(content))
	_ = text.Close()

	c.Close()
	leave()
	fmt.Println(<-served)
	// Output:
	// completed
	// "Hello, Ann! Hello, Bo!"
	// <nil>
}
