package process_test

import (
	"fmt"
	"time"

	"github.com/deedrun/deed/orchestrator/definition"
	"github.com/deedrun/deed/orchestrator/process"
	"github.com/deedrun/deed/task"
)

// A process of one step and one task, from its start to its end.
func Example() {
	def := definition.Definition{Name: "hello", Steps: []definition.Step{{Address: "greet", Run: task.Run{Handler: "hello/greet"}}}}
	noon := time.Date(2026, 1, 1, 12, 0, 0, 0, time.UTC)
	var state process.State
	for _, command := range []process.Command{
		process.StartProcess{ID: "hello-1", Definition: def, At: noon},
		process.ConfirmTasks{Address: "greet", Attempt: 1, Tasks: task.Span(0, 1), At: noon.Add(time.Second)},
		process.ConfirmTasks{Address: "greet", Attempt: 1, Tasks: task.Span(0, 1), At: noon.Add(time.Minute)}, // late: nothing follows
	} {
		events, err := process.Decide(state, command)
		if err != nil {
			fmt.Println("refused:", err)
			continue
		}
		// Here the shell stores the events.
		for _, event := range events {
			state = process.Evolve(state, event)
			fmt.Println(event)
			for _, effect := range process.React(state, event) {
				fmt.Println("  ", effect)
			}
		}
	}
	// Output:
	// process hello started
	// greet started: 1 task
	// greet[0] scheduled
	//    to the work queue: greet[0], attempt 1
	// greet[0] confirmed, attempt 1
	// greet completed
	// process completed
}
