package aggregate

import (
	"fmt"

	"github.com/deedrun/deed/orchestrator/process"
	. "github.com/deedrun/deed/specs"
)

func merging() Feature {
	return Feature{
		Name: "sealing large lists",
		About: "What tasks write is listed in their results while it is little, and in manifests when it is much. A name that is " +
			"listed in manifests is merged into one sorted list by the built-in task deed/seal, which runs on a worker like any " +
			"other; the core learns only how many parts and keys there are.",
		Specs: []Spec{
			{
				Name:  "a step whose results came in manifests does not complete before its names are merged",
				Given: shrinking(2),
				When:  Confirm("shrink", All(2), Listed("report 1")),
				Then: Events(
					Confirmed("shrink", All(2), Listed("report 1")),
					StepStarted("deed/seal/small", 1), Scheduled("deed/seal/small", All(1)),
				),
				Sends: []process.Effect{process.Enqueue{Address: "deed/seal/small", Attempt: 1, Tasks: All(1)}},
			},
			{
				Name: "the merge seals the name, and the step completes",
				Given: shrinking(2,
					Confirmed("shrink", All(2), Listed("report 1")),
					StepStarted("deed/seal/small", 1), Scheduled("deed/seal/small", All(1)),
				),
				When: Confirm("deed/seal/small", Only(0), Merged(2, 1)),
				Then: Events(
					Confirmed("deed/seal/small", Only(0), Merged(2, 1)),
					StepCompleted("shrink", ListMerged("small", 2, 1)),
					ProcessCompleted(),
				),
			},
			{
				Name:  "more than 256 reports are merged in rounds",
				Given: manyReports(300),
				When:  Confirm("shrink", Only(299), Listed("the last report")),
				Then: Events(
					Confirmed("shrink", Only(299), Listed("the last report")),
					StepStarted("deed/seal/small", 2), Scheduled("deed/seal/small", All(2)),
				),
			},
			{
				Name: "a second round merges the results of the first",
				Given: append(manyReports(300),
					Confirmed("shrink", Only(299), Listed("the last report")),
					StepStarted("deed/seal/small", 2), Scheduled("deed/seal/small", All(2)),
					Confirmed("deed/seal/small", Only(1), Merged(44, 1)),
				),
				When: Confirm("deed/seal/small", Only(0), Merged(256, 1)),
				Then: Events(
					Confirmed("deed/seal/small", Only(0), Merged(256, 1)),
					Scheduled("deed/seal/small", Only(2)),
				),
			},
			{
				Name: "a result of a merge without a merged list is a failure for good",
				Given: shrinking(2,
					Confirmed("shrink", All(2), Listed("report 1")),
					StepStarted("deed/seal/small", 1), Scheduled("deed/seal/small", All(1)),
				),
				When: Confirm("deed/seal/small", Only(0)),
				Then: Events(
					Failed("deed/seal/small", Only(0), Permanently(), Because("a result of deed/seal/small must carry one merged list")),
					ProcessFailed("deed/seal/small", 0, "failed for good: a result of deed/seal/small must carry one merged list"),
				),
			},
		},
	}
}

// manyReports is a fan-out of n tasks, all but the last confirmed, each by a
// manifest of its own.
func manyReports(n int) []process.Event {
	events := shrinking(n)
	for i := range n - 1 {
		events = append(events, Confirmed("shrink", Only(i), Listed(fmt.Sprintf("report %d", i))))
	}
	return events
}
