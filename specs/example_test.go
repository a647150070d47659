package specs_test

import (
	"fmt"

	"github.com/deedrun/deed/orchestrator/definition"
	"github.com/deedrun/deed/specs"
	"github.com/deedrun/deed/task"
)

// A rule about a process of one's own: of the photos of an album one may fail.
// In a test, hand it to [specs.Test] as part of a [specs.Feature].
func Example() {
	photos := definition.Binding{Local: "photos", Data: "photos"}
	album := definition.Definition{Name: "album", Inputs: []string{"photos"}, Steps: []definition.Step{{
		Address: "shrink", Run: task.Run{Handler: "photos/shrink"}, Each: &definition.Each{Binding: photos},
		Retry: definition.Retry{Attempts: 1}, Tolerate: definition.Tolerance{Count: 1},
	}}}
	spec := specs.Spec{
		Name:  "a photo that cannot be read is left out",
		Given: specs.Events(specs.Started(album, specs.Input("photos", 3)), specs.StepStarted("shrink", 3), specs.Scheduled("shrink", specs.All(3))),
		When:  specs.Fail("shrink", specs.Only(1), specs.Because("not a photo")),
		Then: specs.Events(
			specs.Failed("shrink", specs.Only(1), specs.Because("not a photo")),
			specs.Skipped("shrink", specs.Only(1), "failed at its only attempt: not a photo"),
		),
	}
	fmt.Print(spec)
	fmt.Println("wrong:", spec.Check())
	// Output:
	// A photo that cannot be read is left out
	// Given process album started with photos of 3 parts
	//   and shrink started: 3 tasks
	//   and shrink: tasks 0–2 scheduled
	//  When shrink[1] reported failed by attempt 1 (retry): not a photo
	//  Then shrink[1] failed at attempt 1 (retry): not a photo
	//   and shrink[1] skipped: failed at its only attempt: not a photo
	// wrong: <nil>
}
