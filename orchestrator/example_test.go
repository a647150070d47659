package orchestrator_test

import (
	"context"
	"encoding/json"
	"fmt"
	"log/slog"
	"time"

	"github.com/deedrun/deed/events"
	memevents "github.com/deedrun/deed/events/mem"
	"github.com/deedrun/deed/orchestrator"
	"github.com/deedrun/deed/orchestrator/definition"
	"github.com/deedrun/deed/orchestrator/process"
	"github.com/deedrun/deed/queue"
	memqueue "github.com/deedrun/deed/queue/mem"
	"github.com/deedrun/deed/task"
)

// One replica, a person and a worker, which meet at backends in memory: the
// person starts a process, the worker receives its task and reports it done.
func Example() {
	ctx, stop := context.WithCancel(context.Background())
	store, signals := events.New(memevents.New()), memqueue.NewSignals()
	inbox, work, bad := memqueue.NewSharded(memqueue.Options{}), memqueue.NewQueue(memqueue.Options{}), memqueue.NewQueue(memqueue.Options{})

	owner, err := orchestrator.NewOwner(orchestrator.Options{
		Events: store, Inbox: inbox, Work: work, Quarantine: bad, Signals: signals, First: true, Log: slog.New(slog.DiscardHandler),
	})
	if err != nil {
		panic(err)
	}
	ended := make(chan struct{})
	go func() {
		defer close(ended)
		_ = owner.Run(ctx) // until ctx ends
		owner.Close()
	}()

	person := &orchestrator.Client{Events: store, Inbox: inbox, Signals: signals}
	def := definition.Definition{Name: "hello", Steps: []definition.Step{{Address: "greet", Run: task.Run{Handler: "hello/greet"}}}}
	if _, err := person.Start(ctx, process.StartProcess{ID: "hello-1", Definition: def}); err != nil {
		panic(err)
	}

	received, _ := work.Receive(ctx, 1, time.Second)
	var message task.Work
	_ = json.Unmarshal(received[0].Body, &message)
	report, _ := json.Marshal(task.Envelope{Report: &task.Report{Process: message.Process, Worker: "w1", Results: []task.Result{
		{Address: message.Address, Attempt: message.Attempt, Tasks: message.Tasks, Outcome: task.Done},
	}}})
	_ = inbox.Send(ctx, queue.Message{Lane: queue.Reports, Key: message.Process, Body: report})
	_ = work.Ack(ctx, received...) // after the report is stored

	for state, err := range person.Follow(ctx, "hello-1") {
		if err != nil {
			panic(err)
		}
		if state.Ended() {
			fmt.Println(state.ID, state.Status)
		}
	}
	stop()
	<-ended
	// Output:
	// hello-1 completed
}
