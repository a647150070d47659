package aggregate

import (
	"encoding/json"

	"github.com/deedrun/deed/orchestrator/definition"
	"github.com/deedrun/deed/orchestrator/process"
	. "github.com/deedrun/deed/specs"
	"github.com/deedrun/deed/task"
)

// changed is chain with something else in it, as its version 2.
func changed(change func(*definition.Definition)) definition.Definition {
	d := define("chain", names("photos"), names("framed"),
		step("shrink", each("photos"), writes("small")),
		step("frame", each("small"), writes("framed")),
	)
	d.Version = "2"
	change(&d)
	return d
}

// framing is chain of two photos whose first step has completed.
func framing(then ...process.Event) []process.Event {
	return following(begun(chain, 2,
		Confirmed("shrink", All(2), WroteEach("small", All(2))), StepCompleted("shrink", List("small", 2)),
		StepStarted("frame", 2), Scheduled("frame", All(2)),
	), then...)
}

var (
	patientFrame = changed(func(d *definition.Definition) { d.Steps[1].Retry.Attempts = 10 })
	otherShrink  = changed(func(d *definition.Definition) { d.Steps[0].Run.Handler = "examples/shrink2" })
	otherFrame   = changed(func(d *definition.Definition) { d.Steps[1].Run.Handler = "examples/frame2" })
	withIndex    = changed(func(d *definition.Definition) {
		d.Steps = append(d.Steps, step("index", reads("small"), writes("pages")))
	})
	withHash = changed(func(d *definition.Definition) {
		d.Steps = append(d.Steps, step("hash", each("photos"), writes("digests")))
	})
	withoutLast = changed(func(d *definition.Definition) { d.Steps, d.Outputs = d.Steps[:1], names("small") })
	withParam   = changed(func(d *definition.Definition) {
		d.Params = map[string]json.RawMessage{"quality": json.RawMessage("90")}
	})
	otherParam = changed(func(d *definition.Definition) {
		d.Params = map[string]json.RawMessage{"quality": json.RawMessage("50")}
	})
	loaded = changed(func(d *definition.Definition) {
		d.Inputs = nil
		d.Steps = append(d.Steps, step("load", writes("photos")))
	})
	moreInputs = changed(func(d *definition.Definition) { d.Inputs = names("photos", "frames") })
	forgiving  = changed(func(d *definition.Definition) { d.Steps[0].Tolerate.All = true })
	scripted   = scriptedWith("1111")
	rescripted = scriptedWith("2222")
)

// scriptedWith is chain whose second step is a program that travels with it.
func scriptedWith(digest string) definition.Definition {
	return changed(func(d *definition.Definition) {
		d.Steps[1].Run = task.Run{Command: []string{"python3", "frame.py"}}
		d.Files = []task.File{{Name: "frame.py", Ref: task.Ref{Key: "sha256/" + digest, SHA256: digest}}}
	})
}

// limited is a fan-out of five photos of which so many may be open at a time.
func limited(n int) definition.Definition {
	return define("throttled", names("photos"), names("small"),
		step("shrink", each("photos"), writes("small"), atMost(n)),
	)
}

// throttledAt is limited to two, with those open.
func throttledAt(then ...process.Event) []process.Event {
	return append(Events(Started(limited(2), Input("photos", 5)), StepStarted("shrink", 5), Scheduled("shrink", All(2))), then...)
}

// basedOn is a revision made from a definition.
func basedOn(base, def definition.Definition) process.ReviseProcess {
	c := Revise(def)
	c.Base = base.Hash()
	return c
}

// The writer of small is another step in handedOver than in resize.
var handedOver = define("resize", names("photos"), names("small"),
	step("prepare"),
	step("shrink2", each("photos"), writes("small"), after("prepare")),
)

// takenOver is resize whose list was being merged when another step took over.
func takenOver() []process.Event {
	return shrinking(2,
		Confirmed("shrink", All(2), Listed("report 1")), StepStarted("deed/seal/small", 1), Scheduled("deed/seal/small", All(1)),
		Revised(handedOver), StepStarted("prepare", 1), Scheduled("prepare", All(1)),
	)
}
