package aggregate

import (
	"slices"

	"github.com/deedrun/deed/orchestrator/definition"
	"github.com/deedrun/deed/orchestrator/process"
	. "github.com/deedrun/deed/specs"
	"github.com/deedrun/deed/task"
)

// page is what happens in a round: a page of an API is fetched.
var page = define("page", names("cursor"), names("next", "more", "rows"),
	step("fetch", reads("cursor"), writes("next"), writesValue("more", definition.Boolean), writes("rows")),
)

const noMore = "!more"

// fetching takes page after page, three at most, and counts all rows.
var fetching = fetchingUntil("fetching", &definition.Condition{
	Text: noMore, Expr: definition.Expr{Op: "!", Args: []definition.Expr{value("more")}},
})

// threePages takes just three.
var threePages = fetchingUntil("three-pages", nil)

func fetchingUntil(name string, until *definition.Condition) definition.Definition {
	return define(name, nil, names("count"),
		step("pages", child(page), writes("next", "rows"), func(s *definition.Step) {
			s.Repeat = &definition.Repeat{Carry: map[string]string{"cursor": "next"}, Collect: names("rows"), Until: until, Max: 3}
		}),
		step("count", reads("rows"), writes("count")),
	)
}

// fetchingMore may take ten pages.
var fetchingMore = func() definition.Definition {
	more := fetching
	more.Steps = slices.Clone(more.Steps)
	repeat := *more.Steps[0].Repeat
	repeat.Max = 10
	more.Steps[0].Repeat = &repeat
	return more
}()

// tooManyPages is what fetching comes to when its third page is not the last.
func tooManyPages(then ...process.Event) []process.Event {
	return fetched(fetching, 2, append(Events(
		Confirmed("pages", Only(2), aPage("true")...),
		ProcessFailed("pages", 2, "its 3 rounds are over, and it does not hold that !more: raise max, or see why it does not get there", Attempt(0)),
	), then...)...)
}

func aPage(more string) []Option {
	return []Option{HandedUp("next", 1), HandedUpValue("more", more), HandedUp("rows", 2)}
}

// fetched is a process of which so many rounds are over, each with another to come.
func fetched(def definition.Definition, rounds int, then ...process.Event) []process.Event {
	history := Events(Started(def), StepStarted("pages", 1), Scheduled("pages", Only(0)))
	for i := range rounds {
		history = append(history, Confirmed("pages", Only(i), aPage("true")...), Scheduled("pages", Only(i+1)))
	}
	return append(history, then...)
}

func repeating() Feature {
	return Feature{
		Name: "repeats",
		About: "`repeat:` on a group runs it again and again; each round is a child. What is carried reads, as inputs of a round, outputs of the " +
			"round before; in the first they are empty lists. What is collected gathers what all rounds wrote; of other outputs the last " +
			"round's stays. It ends when `until` holds over the outputs of a round; without `until` there are `max` rounds.",
		Specs: []Spec{
			{
				Name:  "a repeat begins with one round",
				When:  Start(fetching),
				Then:  Events(Started(fetching), StepStarted("pages", 1), Scheduled("pages", Only(0))),
				Sends: []process.Effect{process.StartChildren{Address: "pages", Attempt: 1, Tasks: task.Of(0)}},
			},
			{
				Name:  "when a round is over and its condition does not hold, there is another",
				Given: fetched(fetching, 0),
				When:  Confirm("pages", Only(0), aPage("true")...),
				Then:  Events(Confirmed("pages", Only(0), aPage("true")...), Scheduled("pages", Only(1))),
			},
			{
				Name:  "a repeat ends when its condition holds; what is collected is there of all rounds, the rest of the last one",
				Given: fetched(fetching, 1),
				When:  Confirm("pages", Only(1), aPage("false")...),
				Then: Events(
					Confirmed("pages", Only(1), aPage("false")...),
					RepeatEnded("pages", 2, noMore),
					StepCompleted("pages", List("rows", 4), List("next", 1)),
					StepStarted("count", 1), Scheduled("count", All(1)),
				),
			},
			{
				Name:  "a repeat whose condition does not hold after as many rounds as it may have fails, with the remedy",
				Given: fetched(fetching, 2),
				When:  Confirm("pages", Only(2), aPage("true")...),
				Then: Events(
					Confirmed("pages", Only(2), aPage("true")...),
					ProcessFailed("pages", 2, "its 3 rounds are over, and it does not hold that !more: raise max, or see why it does not get there", Attempt(0)),
				),
			},
			{
				Name:  "with a larger max the rounds that are over stay",
				Given: tooManyPages(),
				When:  Revise(fetchingMore, By("ada")),
				Then:  Events(Revised(fetchingMore, By("ada"))),
			},
			{
				Name:  "a retry then goes on with the next round",
				Given: tooManyPages(Revised(fetchingMore, By("ada"))),
				When:  Retry("", nil, By("ada")),
				Then:  Events(Retried(By("ada")), Scheduled("pages", Only(3))),
			},
			{
				Name:  "a repeat without a condition ends after as many rounds as it may have",
				Given: fetched(threePages, 2),
				When:  Confirm("pages", Only(2), aPage("true")...),
				Then: Events(
					Confirmed("pages", Only(2), aPage("true")...),
					RepeatEnded("pages", 3, ""),
					StepCompleted("pages", List("rows", 6), List("next", 1)),
					StepStarted("count", 1), Scheduled("count", All(1)),
				),
			},
			{
				Name:  "a round that fails ends the process",
				Given: fetched(fetching, 1),
				When:  Fail("pages", Only(1), Because("no answer")),
				Then: Events(
					Failed("pages", Only(1), Because("no answer")),
					ProcessFailed("pages", 1, "failed at its only attempt: no answer"),
				),
			},
			{
				Name:  "in a pause the next round waits",
				Given: fetched(fetching, 1, Paused(By("ada"))),
				When:  Confirm("pages", Only(1), aPage("true")...),
				Then:  Events(Confirmed("pages", Only(1), aPage("true")...)),
			},
			{
				Name:  "after a pause the next round begins",
				Given: fetched(fetching, 1, Paused(By("ada")), Confirmed("pages", Only(1), aPage("true")...)),
				When:  Resume(By("ada")),
				Then:  Events(Resumed(By("ada")), Scheduled("pages", Only(2))),
			},
		},
	}
}
