package file_test

import (
	"fmt"

	"github.com/deedrun/deed/orchestrator/process"
	"github.com/deedrun/deed/specs"
	"github.com/deedrun/deed/specs/file"
)

// What [file.Test] does with a file in a test, a program does itself. Faults are what
// is wrong with the file or its definition, problems where the core decides
// otherwise than the file says.
func Example() {
	f, faults, err := file.Load("../../examples/wordcount/unix.spec.yaml")
	if err != nil || len(faults) > 0 {
		fmt.Println(err, faults)
		return
	}
	for _, result := range f.Run() {
		for _, problem := range result.Problems {
			fmt.Println(problem)
		}
	}
	fmt.Println(f.Name, "does as it is told")
	// Output:
	// word-count-unix does as it is told
}

// A specification in Go, about a definition in a file. In a test, hand features
// to [specs.Test].
func ExampleDefinition() {
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
