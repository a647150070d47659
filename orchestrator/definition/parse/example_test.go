package parse_test

import (
	"fmt"

	"github.com/deedrun/deed/orchestrator/definition"
	"github.com/deedrun/deed/orchestrator/definition/parse"
)

// Two things are wrong with this definition: one with its form, which the reader
// tells, and one with its meaning, which [definition.Check] does. One without
// faults is what [definition.Resolve] takes.
func Example() {
	src, faults := parse.Bytes("thumbnails.yaml", []byte(`deed: v1
name: thumbnails
inputs: [photos]
steps:
  shrink: {run: photos/shrink, each: photos, out: [small]}
  sheet: {run: photos/sheet, in: [smal], out: [page], timeout: 5}
outputs: [page]
`))
	faults = append(faults, definition.Check(src)...)
	for _, fault := range faults {
		fmt.Println(fault)
	}
	// Output:
	// thumbnails.yaml:6:64: sheet: timeout has no unit of time; write 5s for seconds, or 5m for minutes
	// thumbnails.yaml:6:35: sheet: nobody writes "smal"; did you mean "small"?
}
