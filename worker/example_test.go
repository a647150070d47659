package worker_test

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"log/slog"
	"strings"
	"time"

	"github.com/deedrun/deed/blob"
	"github.com/deedrun/deed/queue"
	"github.com/deedrun/deed/queue/mem"
	"github.com/deedrun/deed/task"
	"github.com/deedrun/deed/worker"
)

// A worker executes a task and reports it. Who sends it, here a test, is nothing to it.
func Example() {
	handlers := worker.NewRegistry()
	worker.Handle(handlers, "words/count", func(_ context.Context, t *worker.Task) error {
		text, err := t.Open("text")
		if err != nil {
			return err
		}
		defer text.Close()
		all, err := io.ReadAll(text) // verified at its end
		if err != nil {
			return err
		}
		return t.Emit("count", len(strings.Fields(string(all))))
	})

	ctx := context.Background()
	blobs, _ := blob.Open(ctx, "mem://")
	defer blobs.Close()
	work, inbox := mem.NewQueue(mem.Options{}), mem.NewQueue(mem.Options{})
	w, _ := worker.New(worker.Options{
		Work: work, Inbox: inbox, Signals: mem.NewSignals(), Blobs: blobs, Registry: handlers, Log: slog.New(slog.DiscardHandler),
	})
	ended := make(chan error)
	go func() { ended <- w.Run(ctx) }()

	message, _ := json.Marshal(task.Work{
		Process: "first", Address: "count", Attempt: 1, Tasks: task.Of(7), Run: task.Run{Handler: "words/count"},
		Inputs:  []task.Input{{Local: "text", Mode: task.Element, Lists: [][]task.Part{{{Value: json.RawMessage(`"in the beginning"`)}}}}},
		Outputs: []task.Output{{Local: "count", Data: "counts"}},
	})
	_ = work.Send(ctx, queue.Message{Key: "first", Body: message})

	reports, _ := inbox.Lane(ctx, queue.Reports)
	got, _ := reports.Receive(ctx, 1, 10*time.Second)
	var envelope task.Envelope
	_ = json.Unmarshal(got[0].Body, &envelope)
	result := envelope.Report.Results[0]
	fmt.Printf("%s[%v] %s: %s of %s\n", result.Address, result.Tasks, result.Outcome, result.Parts[0].Value, result.Parts[0].Data)

	w.Drain()
	<-ended
	// Output: count[7] done: 3 of counts
}

// A function of a value needs to know of neither inputs nor outputs.
func ExampleHandleJSON() {
	handlers := worker.NewRegistry()
	worker.HandleJSON(handlers, "hello/greet", func(_ context.Context, name string) (string, error) {
		if name == "" {
			return "", worker.Permanent(fmt.Errorf("nobody to greet"))
		}
		return "Hello, " + name + "!", nil
	})
	fmt.Println(handlers.Names())
	// Output: [hello/greet]
}
