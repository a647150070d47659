package aggregate

import (
	"github.com/deedrun/deed/orchestrator/definition"
	. "github.com/deedrun/deed/specs"
)

// submitTrace is the traceparent of a submit.
const submitTrace = "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01"

func starting() Feature {
	return Feature{
		Name: "starting a process",
		About: "A process is started with its whole definition and what it reads. The definition goes into the first event, " +
			"so a process keeps the one it began with. Starting is idempotent: the ID is chosen by who starts it.",
		Specs: []Spec{
			{
				Name: "a process starts with the steps whose inputs are given, all tasks of them at once",
				When: Start(wordCount, Input("corpus", 3)),
				Then: Events(
					Started(wordCount, Input("corpus", 3)),
					StepStarted("count", 3),
					Scheduled("count", All(3)),
				),
			},
			{
				Name:  "the same start again changes nothing",
				Given: shrinking(2),
				When:  Start(resize, Input("photos", 2)),
				Then:  Nothing,
			},
			{
				Name: "a process records who started it, and the trace that all of it belongs to",
				When: StartBy("ada", submitTrace, resize, Input("photos", 2)),
				Then: Events(
					StartedBy("ada", submitTrace, resize, Input("photos", 2)),
					StepStarted("shrink", 2),
					Scheduled("shrink", All(2)),
				),
			},
			{
				Name:  "the same start again by somebody else, in another trace, changes nothing",
				Given: Events(StartedBy("ada", submitTrace, resize, Input("photos", 2)), StepStarted("shrink", 2), Scheduled("shrink", All(2))),
				When:  StartBy("bob", "", resize, Input("photos", 2)),
				Then:  Nothing,
			},
			{
				Name:  "another definition under the same ID is refused, with what differs",
				Given: shrinking(2),
				When:  Start(throttled, Input("photos", 2)),
				Fails: "it exists and is another job",
			},
			{
				Name:  "other inputs under the same ID are refused, with what differs",
				Given: shrinking(2),
				When:  Start(resize, Input("photos", 3)),
				Fails: "input photos: other content (3 parts now, 2 parts then)",
			},
			{
				Name:  "an input that is not given is refused, with the remedy",
				When:  Start(resize),
				Fails: `input "photos" is not given: add --in photos=PATH`,
			},
			{
				Name:  "an input that the definition does not know is refused",
				When:  Start(resize, Input("photos", 1), Input("videos", 1)),
				Fails: `"videos" is not an input of resize; its inputs are: photos`,
			},
			{
				Name: "a definition with a cycle is refused",
				When: Start(define("ring", nil, nil,
					step("a", reads("y"), writes("x")), step("b", reads("x"), writes("y")))),
				Fails: "the definition has a cycle",
			},
			{
				Name:  "a definition whose steps read what nobody writes is refused, naming the reader",
				When:  Start(define("gap", nil, nil, step("a", reads("d2")))),
				Fails: `step "a" reads "d2", which nothing writes`,
			},
			{
				Name:  "a definition with a step at an address of deed's own is refused",
				When:  Start(define("own", nil, nil, step("deed/seal/x", writes("x")))),
				Fails: "is one of deed's own",
			},
			{
				Name:  "a definition without steps is refused",
				When:  Start(definition.Definition{Name: "empty"}),
				Fails: "has no steps",
			},
			{
				Name:  "a result for a process that nobody started is refused",
				When:  Confirm("count", Only(0)),
				Fails: "no such process",
			},
		},
	}
}
