package aggregate

import (
	"encoding/json"

	"github.com/deedrun/deed/orchestrator/definition"
	"github.com/deedrun/deed/orchestrator/process"
	. "github.com/deedrun/deed/specs"
)

const isGood = "score > params.least"

// picky frames a photo only if its score is high enough, and prints what there is.
var picky = pickyWith(when(isGood, compare(">", value("score"), definition.Expr{Op: definition.OpParam, Name: "least"})))

func pickyWith(condition func(*definition.Step)) definition.Definition {
	d := define("picky", names("photo"), names("print"),
		step("judge", reads("photo"), writesValue("score", definition.Number)),
		step("frame", reads("photo"), writes("framed"), condition),
		step("print", reads("framed"), writes("print")),
	)
	d.Params = map[string]json.RawMessage{"least": json.RawMessage("0.5")}
	return d
}

// onlyIf has one step, which is skipped: it compares a number with what nobody wrote.
var onlyIf = define("only-if", names("photo"), names("framed"),
	step("frame", reads("photo"), writes("framed"), when("1 > 2", compare(">", constant("1"), constant("2")))),
)

// unclear has a condition that cannot be told.
var unclear = pickyWith(when(`score - "x" > 1`, compare(">", compare("-", value("score"), constant(`"x"`)), constant("1"))))

// judged is picky whose photo has a score.
func judged(def definition.Definition, score string, then ...process.Event) []process.Event {
	return following(begun(def, 1,
		Confirmed("judge", Only(0), WroteValue(0, "score", score)), StepCompleted("judge", List("score", 1)),
	), then...)
}

func judge(score string) process.ConfirmTasks {
	return Confirm("judge", Only(0), WroteValue(0, "score", score))
}

func conditions() Feature {
	return Feature{
		Name: "conditions",
		About: "`when:` is an expression over parameters and small values. It is told when all is there that the step reads, and all that " +
			"the expression does. If it does not hold the step is skipped: what it writes are empty lists, so whatever reads them goes on. " +
			"A value that nobody wrote is null; compared with anything by order, that does not hold.",
		Specs: []Spec{
			{
				Name:  "a step whose condition holds starts",
				Given: judged(picky, "0.9")[:3],
				When:  judge("0.9"),
				Then: Events(
					Confirmed("judge", Only(0), WroteValue(0, "score", "0.9")), StepCompleted("judge", List("score", 1)),
					StepStarted("frame", 1), Scheduled("frame", All(1)),
				),
			},
			{
				Name:  "a step whose condition does not hold is skipped, and what reads it goes on with an empty list",
				Given: judged(picky, "0.1")[:3],
				When:  judge("0.1"),
				Then: Events(
					Confirmed("judge", Only(0), WroteValue(0, "score", "0.1")), StepCompleted("judge", List("score", 1)),
					StepSkipped("frame", isGood),
					StepStarted("print", 1), Scheduled("print", All(1)),
				),
			},
			{
				Name: "a process whose last step is skipped completes",
				When: Start(onlyIf, Input("photo", 1)),
				Then: Events(Started(onlyIf, Input("photo", 1)), StepSkipped("frame", "1 > 2"), ProcessCompleted()),
			},
			{
				Name:  "a condition that cannot be told ends the process, with the reason",
				Given: judged(unclear, "0.9")[:3],
				When:  judge("0.9"),
				Then: Events(
					Confirmed("judge", Only(0), WroteValue(0, "score", "0.9")), StepCompleted("judge", List("score", 1)),
					ProcessFailed("frame", -1, `when it runs cannot be told: condition "score - \"x\" > 1": - takes a number, not the string "x"`),
				),
			},
			{
				Name:  "a condition is told again when what it looks at begins anew",
				Given: judged(picky, "0.1", StepSkipped("frame", isGood), StepStarted("print", 1), Scheduled("print", All(1))),
				When:  Restart("judge"),
				Then: Events(
					Restarted("judge", Anew("judge", 1), Anew("frame", 1), Anew("print", 1)),
					StepStarted("judge", 1, Generation(1)), Scheduled("judge", All(1), Generation(1)),
				),
			},
		},
	}
}
