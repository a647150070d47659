package aggregate

import (
	"slices"
	"time"

	"github.com/deedrun/deed/orchestrator/definition"
	"github.com/deedrun/deed/orchestrator/process"
	. "github.com/deedrun/deed/specs"
)

// noon is so long after noon, when everything in these rules happens unless it
// says otherwise.
func noon(after time.Duration) time.Time {
	return time.Date(2026, 1, 1, 12, 0, 0, 0, time.UTC).Add(after)
}

// begun is a process whose first step fans out over n parts, all of them
// scheduled, and what happened then.
func begun(def definition.Definition, n int, then ...process.Event) []process.Event {
	first := def.Steps[0].Address
	return append(Events(Started(def, Input(def.Inputs[0], n)), StepStarted(first, n), Scheduled(first, All(n))), then...)
}

// shrinking is resize with n photos, and what happened then.
func shrinking(n int, then ...process.Event) []process.Event { return begun(resize, n, then...) }

// following is a history and what happened then.
func following(history []process.Event, then ...process.Event) []process.Event {
	return append(slices.Clone(history), then...)
}

// notAPhoto is what happens when shrink[1] fails for good where nothing is
// tolerated.
func notAPhoto() []process.Event {
	return Events(
		Failed("shrink", Only(1), Permanently(), Because("not a photo")),
		ProcessFailed("shrink", 1, "failed for good: not a photo"),
	)
}

// wordsCounted is a word count of two texts that has completed.
func wordsCounted() []process.Event {
	return begun(wordCount, 2,
		Confirmed("count", All(2), Wrote(0, "partial", "a"), Wrote(1, "partial", "b")), StepCompleted("count", ListKeyed("partial", 2, 2)),
		StepStarted("merge", 2), Scheduled("merge", All(2)),
		Confirmed("merge", All(2), WroteEach("totals", All(2))), StepCompleted("merge", List("totals", 2)),
		StepStarted("top", 1), Scheduled("top", All(1)),
		Confirmed("top", Only(0), Wrote(0, "counts")), StepCompleted("top", List("counts", 1)),
		ProcessCompleted(),
	)
}

// branched is diamond with both branches at work, and what happened then.
func branched(then ...process.Event) []process.Event {
	return append(Events(
		Started(diamond, Input("text", 1)),
		StepStarted("left", 1), Scheduled("left", All(1)),
		StepStarted("right", 1), Scheduled("right", All(1)),
	), then...)
}

// joined is diamond that has completed.
func joined() []process.Event {
	return branched(
		Confirmed("left", Only(0), Wrote(0, "l")), StepCompleted("left", List("l", 1)),
		Confirmed("right", Only(0), Wrote(0, "r")), StepCompleted("right", List("r", 1)),
		StepStarted("join", 1), Scheduled("join", All(1)),
		Confirmed("join", Only(0), Wrote(0, "both")), StepCompleted("join", List("both", 1)),
		ProcessCompleted(),
	)
}

// grouped has two steps in a group, and one after them.
var grouped = define("grouped", names("photos"), names("sheet"),
	step("clean/crop", each("photos"), writes("cropped")),
	step("clean/sort", reads("cropped"), writes("sorted")),
	step("print", reads("sorted"), writes("sheet")),
)

// shrinkAnew is the events of resize with two photos that begins anew.
func shrinkAnew(generation int) []process.Event {
	return Events(StepStarted("shrink", 2, Generation(generation)), Scheduled("shrink", All(2), Generation(generation)))
}

// restartedShrink is resize with two photos that was restarted while it ran.
func restartedShrink(then ...process.Event) []process.Event {
	return following(following(shrinking(2), Restarted("shrink", Anew("shrink", 1))), append(shrinkAnew(1), then...)...)
}

// skippedLongAgo is lenient after its first step went on without shrink[1]; the
// second step runs.
func skippedLongAgo() []process.Event {
	return following(begun(lenient, 3, spoilt(1)...),
		Confirmed("shrink", Only(0, 2), WroteEach("small", Only(0, 2))), StepCompleted("shrink", List("small", 2)),
		StepStarted("frame", 2), Scheduled("frame", All(2)),
	)
}

// wentBack is the same after shrink[1] was retried.
func wentBack() []process.Event {
	return following(skippedLongAgo(),
		Retried(Anew("frame", 1), Kept("shrink", 1), Fresh("shrink", Only(1), 1)),
		Scheduled("shrink", Only(1), Attempt(2), Generation(1)),
	)
}

// skippedWhileMerging is lenient whose first step went on without shrink[1], and
// whose list is being merged.
func skippedWhileMerging(then ...process.Event) []process.Event {
	return following(begun(lenient, 3, spoilt(1)...), append(Events(
		Confirmed("shrink", Only(0, 2), Listed("report 1")),
		StepStarted("deed/seal/small", 1), Scheduled("deed/seal/small", All(1)),
	), then...)...)
}
