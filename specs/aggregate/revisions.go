package aggregate

import (
	"encoding/json"
	"fmt"
	"time"

	"github.com/deedrun/deed/orchestrator/definition"
	"github.com/deedrun/deed/orchestrator/process"
	. "github.com/deedrun/deed/specs"
	"github.com/deedrun/deed/task"
)

// changed is chain with something else in it, which its version tells the reader.
func changed(what string, change func(*definition.Definition)) definition.Definition {
	d := define("chain", names("photos"), names("framed"),
		step("shrink", each("photos"), writes("small")),
		step("frame", each("small"), writes("framed")),
	)
	change(&d)
	return versioned(what, d)
}

// framing is chain of two photos whose first step has completed.
func framing(then ...process.Event) []process.Event {
	return following(begun(chain, 2,
		Confirmed("shrink", All(2), WroteEach("small", All(2))), StepCompleted("shrink", List("small", 2)),
		StepStarted("frame", 2), Scheduled("frame", All(2)),
	), then...)
}

var (
	patientFrame = changed("with 10 attempts for frame", func(d *definition.Definition) { d.Steps[1].Retry.Attempts = 10 })
	otherShrink  = changed("with another handler for shrink", func(d *definition.Definition) { d.Steps[0].Run.Handler = "examples/shrink2" })
	otherFrame   = changed("with another handler for frame", func(d *definition.Definition) { d.Steps[1].Run.Handler = "examples/frame2" })
	withIndex    = changed("with a step index that reads small", func(d *definition.Definition) {
		d.Steps = append(d.Steps, step("index", reads("small"), writes("pages")))
	})
	withHash = changed("with a step hash that reads photos", func(d *definition.Definition) {
		d.Steps = append(d.Steps, step("hash", each("photos"), writes("digests")))
	})
	withoutHash = versioned("without hash", chain)
	withoutLast = changed("without frame", func(d *definition.Definition) { d.Steps, d.Outputs = d.Steps[:1], names("small") })
	withParam   = changed("with quality 90", func(d *definition.Definition) {
		d.Params = map[string]json.RawMessage{"quality": json.RawMessage("90")}
	})
	otherParam = changed("with quality 50", func(d *definition.Definition) {
		d.Params = map[string]json.RawMessage{"quality": json.RawMessage("50")}
	})
	loaded = changed("with a step load that writes photos", func(d *definition.Definition) {
		d.Inputs = nil
		d.Steps = append(d.Steps, step("load", writes("photos")))
	})
	moreInputs = changed("with an input frames", func(d *definition.Definition) { d.Inputs = names("photos", "frames") })
	forgiving  = changed("with tolerate: all for shrink", func(d *definition.Definition) { d.Steps[0].Tolerate.All = true })
	withText   = changed("with a text as TOKEN", func(d *definition.Definition) {
		d.Steps[0].Env = map[string]task.Variable{"TOKEN": {Value: "none"}}
	})
	scripted   = scriptedWith("1111")
	rescripted = scriptedWith("2222")
)

// secured is chain whose first step gets a secret.
func secured(secret string) definition.Definition {
	return changed("with the secret "+secret, func(d *definition.Definition) {
		d.Steps[0].Env = map[string]task.Variable{"TOKEN": {Secret: secret}}
	})
}

// hurried is resize that has to end within an hour.
var hurried = versioned("with a deadline of 1h", within(time.Hour, resize))

// strict is lenient that tolerates nothing any more.
var strict = versioned("with tolerate: 0", lenientTo("lenient", definition.Tolerance{}))

// sharedAlbums is albums whose keys are shared among eight tasks.
var sharedAlbums = versioned("with photos by key into 8", define("albums", names("photos"), names("sheets"),
	step("sheet", byKeyInto("photos", 8), writes("sheets")),
))

// scriptedWith is chain whose second step is a program that travels with it.
func scriptedWith(digest string) definition.Definition {
	return changed("with frame.py "+digest, func(d *definition.Definition) {
		d.Steps[1].Run = task.Run{Command: []string{"python3", "frame.py"}}
		d.Files = []task.File{{Name: "frame.py", Ref: task.Ref{Key: "sha256/" + digest, SHA256: digest}}}
	})
}

// limited is a fan-out of five photos of which so many may be open at a time.
func limited(n int) definition.Definition {
	return versioned(fmt.Sprintf("with parallelism %d", n), define("throttled", names("photos"), names("small"),
		step("shrink", each("photos"), writes("small"), atMost(n)),
	))
}

// versioned is a definition whose version tells the reader what is new in it.
func versioned(what string, d definition.Definition) definition.Definition {
	d.Version = "2, " + what
	return d
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
var handedOver = versioned("where shrink2 writes small, after prepare", define("resize", names("photos"), names("small"),
	step("prepare"),
	step("shrink2", each("photos"), writes("small"), after("prepare")),
))

// takenOver is resize whose list was being merged when another step took over.
func takenOver() []process.Event {
	return shrinking(2,
		Confirmed("shrink", All(2), Listed("report 1")), StepStarted("deed/seal/small", 1), Scheduled("deed/seal/small", All(1)),
		Revised(handedOver), StepStarted("prepare", 1), Scheduled("prepare", All(1)),
	)
}
