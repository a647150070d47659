package task_test

import (
	"encoding/json"
	"fmt"

	"github.com/deedrun/deed/task"
)

// Tasks are told as ranges, so that a million of them cost a dozen bytes.
func ExampleRanges() {
	all := task.Span(0, 1_000_000)
	open := all.Minus(task.Of(3, 4, 5, 17))
	wire, _ := json.Marshal(open)
	fmt.Println(string(wire), open.Len())
	// Output: "0-2,6-16,18-999999" 999996
}
