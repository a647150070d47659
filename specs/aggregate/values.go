package aggregate

import (
	"strings"

	"github.com/deedrun/deed/orchestrator/definition"
	"github.com/deedrun/deed/orchestrator/process"
	. "github.com/deedrun/deed/specs"
)

// scored writes a number a photo.
var scored = define("scored", names("photos"), names("scores"),
	step("score", each("photos"), writesValue("scores", definition.Number)),
)

// refusedValue is what happens to a task that wrote what it must not.
func refusedValue(reason string) []process.Event {
	return Events(
		Failed("score", Only(0), Permanently(), Because(reason)),
		ProcessFailed("score", 0, "failed for good: "+reason),
	)
}

func smallValues() Feature {
	return Feature{
		Name: "small values",
		About: "`out: {score: {json: number}}` declares that what a step writes to a name is one small value of a type, of at most 1 KiB. " +
			"It travels in events, so that conditions can look at it. All values of a name may take 64 KiB together.",
		Specs: []Spec{
			{
				Name:  "a small value is confirmed like any part",
				Given: begun(scored, 2),
				When:  Confirm("score", Only(0), WroteValue(0, "scores", "0.7")),
				Then:  Events(Confirmed("score", Only(0), WroteValue(0, "scores", "0.7"))),
			},
			{
				Name:  "a value of another type fails its task for good",
				Given: begun(scored, 2),
				When:  Confirm("score", Only(0), WroteValue(0, "scores", `"high"`)),
				Then:  refusedValue(`score[0] wrote to "scores", which is to be a number, the string "high"`),
			},
			{
				Name:  "more than one value of a task fails it for good",
				Given: begun(scored, 2),
				When:  Confirm("score", Only(0), WroteValue(0, "scores", "1"), WroteValue(0, "scores", "2")),
				Then:  refusedValue(`score[0] wrote to "scores" more than one value`),
			},
			{
				Name:  "small values that a worker stored in a list instead of reporting them fail their tasks for good",
				Given: begun(scored, 2),
				When:  Confirm("score", Only(0), Listed("r1")),
				Then:  refusedValue("score writes small values (json:), and the worker stored them instead of reporting them; its version may not know them"),
			},
			{
				Name:  "a value of more than 1 KiB fails its task for good",
				Given: begun(scored, 2),
				When:  Confirm("score", Only(0), WroteValue(0, "scores", `"`+strings.Repeat("x", 1100)+`"`)),
				Then:  refusedValue(`score[0] wrote to "scores", which is to be a small value (json: number), 1102 bytes; at most 1024 are allowed`),
			},
		},
	}
}
