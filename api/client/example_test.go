package client_test

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"log/slog"
	"net/http/httptest"

	"github.com/deedrun/deed"
	"github.com/deedrun/deed/api"
	"github.com/deedrun/deed/api/client"
	"github.com/deedrun/deed/api/wire"
	"github.com/deedrun/deed/worker"
)

const hello = `
deed: v1
name: hello
inputs: [names]
steps:
  greet: {run: hello/greet, each: names, out: [greetings]}
outputs: [greetings]
`

// greetingServer is a server that has all in memory, and one handler.
func greetingServer(ctx context.Context) (url string, end func(), err error) {
	handlers := worker.NewRegistry()
	worker.HandleJSON(handlers, "hello/greet", func(_ context.Context, name string) (string, error) {
		return "Hello, " + name + "!", nil
	})
	r, err := deed.Open(ctx, deed.Options{Handlers: handlers, Log: slog.New(slog.DiscardHandler)})
	if err != nil {
		return "", nil, err
	}
	server := httptest.NewServer(api.New(api.Options{Runtime: r, Log: slog.New(slog.DiscardHandler)}))
	return server.URL, func() { server.Close(); r.Close() }, nil
}

// A process is submitted, watched to its end, and what it wrote is read.
func Example() {
	ctx := context.Background()
	url, end, err := greetingServer(ctx)
	if err != nil {
		fmt.Println(err)
		return
	}
	defer end()
	c, err := client.New(url, client.Options{})
	if err != nil {
		fmt.Println(err)
		return
	}
	defer c.Close()

	names := wire.Input{Values: []json.RawMessage{[]byte(`"Ann"`), []byte(`"Bo"`)}}
	job := wire.Submit{ID: "hello-1", Definition: hello, Inputs: map[string]wire.Input{"names": names}}
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
	for part, err := range c.Parts(ctx, "hello-1", "greetings") {
		if err != nil {
			fmt.Println(err)
			return
		}
		content, err := c.OpenPart(ctx, "hello-1", "greetings", part.Part)
		if err != nil {
			fmt.Println(err)
			return
		}
		text, err := io.ReadAll(content)
		fmt.Println(string(text), err, content.Close())
	}
	// Output:
	// completed
	// "Hello, Ann!" <nil> <nil>
	// "Hello, Bo!" <nil> <nil>
}

// What a server refuses is told apart by its code.
func ExampleIsCode() {
	ctx := context.Background()
	url, end, err := greetingServer(ctx)
	if err != nil {
		fmt.Println(err)
		return
	}
	defer end()
	c, _ := client.New(url, client.Options{}) // nothing is sent yet
	defer c.Close()
	_, err = c.Show(ctx, "nobody", 0)
	fmt.Println(client.IsCode(err, wire.CodeNoProcess))
	// Output: true
}
