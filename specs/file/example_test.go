package file_test

import (
	"fmt"

	"github.com/deedrun/deed/orchestrator/process"
	"github.com/deedrun/deed/specs"
	"github.com/deedrun/deed/specs/file"
)

// A specification in Go, about a definition of one's own. In a test, hand
// features to [specs.Test].
func Example() {
	wordCount, err := file.Definition("../../examples/wordcount/process.yaml", map[string]string{"top": "5"}, nil)
	if err != nil {
		fmt.Println(err)
		return
	}
	spec := specs.Spec{
		Name: "a text that makes trouble holds up the merge",
		After: []process.Command{
			specs.Start(wordCount, specs.Input("corpus", 2)),
			specs.Confirm("count", specs.Only(0), specs.Wrote(0, "partial", "a")),
		},
		When: specs.Fail("count", specs.Only(1), specs.Because("the disk is full")),
		Outcome: &specs.Outcome{
			Status: process.Running,
			Steps:  map[string]string{"merge": "waiting"},
		},
	}
	fmt.Print(spec)
	fmt.Println("wrong:", spec.Check())
	// Output:
	// A text that makes trouble holds up the merge
	// Given process word-count is started with corpus of 2 parts
	//   and count[0] reported done by attempt 1, writing partial under key a
	//  When count[1] reported failed by attempt 1 (retry): the disk is full
	//  Then the process is running
	//   and merge is waiting
	// wrong: <nil>
}
