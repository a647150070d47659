package process

import (
	"encoding/json"
	"slices"
	"time"

	"github.com/deedrun/deed/orchestrator/definition"
	"github.com/deedrun/deed/task"
)

// stories are the histories to be recorded, by name.
var stories = map[string]func(c *chronicle){
	"completed": func(c *chronicle) {
		c.start(words(), 5)
		c.done("count", 1, task.Of(0, 3))
		c.done("count", 1, task.Of(1, 2, 4))
		c.rest()
	},
	"by-key-few-at-a-time": func(c *chronicle) {
		def := fanOut(2)
		def.Steps[0].Each.ByKey = true
		c.start(def, 20)
		c.done("work", 1, task.Of(0))
		c.done("work", 1, task.Of(2))
	},
	"shared-room-in-a-pool": func(c *chronicle) {
		def := sideBySide(3)
		def.Weight = 5
		def.Steps[0].Pool, def.Steps[0].Needs = "gpu", task.Resources{CPU: 0.5, Memory: 4 << 30, GPU: 1}
		def.Steps[1].Rate = definition.Rate{Count: 5000, Per: task.Duration(time.Hour)}
		c.start(def, 5)
		c.done("work", 1, task.Of(0))
		c.failed("beside", 1, task.Of(0), task.Retry)
		def.Steps = slices.Clone(def.Steps)
		def.Parallelism, def.Weight, def.Steps[0].Pool = 4, 0, "gpu-2"
		c.tell(ReviseProcess{Definition: def, Asked: c.asked("there are more machines"), At: c.at})
	},
	"submitted-in-a-trace": func(c *chronicle) {
		asked := Asked{By: "ada", Reason: "the nightly run", Command: "c0"}
		c.tell(StartProcess{
			ID: "recorded", Definition: words(), Inputs: map[string]task.Dataset{"in": listOf(2)}, Trace: traceOfSubmit, Asked: asked, At: c.at,
		})
		c.tell(PauseProcess{Asked: asked, At: c.at}) // the ID of a start is no command's: processes have IDs for that
	},
	"secrets-by-reference": func(c *chronicle) {
		def := words()
		def.Steps[0].Env = map[string]task.Variable{"PGHOST": {Value: "db"}, "PGPASSWORD": {Secret: "pg"}}
		c.start(def, 2)
		c.done("count", 1, task.Of(0))
		def.Steps = slices.Clone(def.Steps)
		def.Steps[0].Env = map[string]task.Variable{"PGHOST": {Value: "db"}, "PGPASSWORD": {Secret: "pg-new"}}
		c.tell(ReviseProcess{Definition: def, Asked: c.asked("the old password has expired"), At: c.at})
		c.done("count", 1, task.Of(1))
		c.rest()
	},
	"children-of-each-key": func(c *chronicle) {
		c.start(library(2), 2)
		c.handedUp("album", 1, 1, map[string]task.Dataset{"sheet": listOf(2)})
		c.failed("album", 1, task.Of(0), task.Retry)
		c.timer("album", 2, task.Of(0))
		c.handedUp("album", 2, 0, map[string]task.Dataset{"sheet": mergedList("recorded-1/sheet")})
		c.rest()
	},
	"a-child": func(c *chronicle) {
		parent := Parent{Process: "library-1", Address: "album", Index: 1, Attempt: 1, Root: "library-1"}
		c.tell(StartProcess{
			ID: ChildID(parent), Definition: childDefinition(library(1), library(1).Steps[0]), Parent: &parent,
			Inputs: map[string]task.Dataset{"photos": listOf(2)}, Asked: Asked{By: "ada"}, At: c.at,
		})
		c.done("shrink", 1, task.Of(0, 1))
		c.tell(CancelProcess{Asked: c.asked("no such album"), At: c.at})
	},
	"pages-until-there-are-no-more": func(c *chronicle) {
		c.start(pages(), 1)
		for round, more := range []string{"true", "false"} {
			c.handedUp("pages", 1, round, map[string]task.Dataset{
				"next": listOf(1), "rows": listOf(2), "more": task.Inline([]task.Part{{Value: json.RawMessage(more)}}),
			})
		}
		c.rest()
	},
	"a-page-after-a-page": func(c *chronicle) {
		c.start(pages(), 1)
		c.handedUp("pages", 1, 0, map[string]task.Dataset{
			"next": listOf(1), "rows": mergedList("recorded-1/rows"), "more": task.Inline([]task.Part{{Value: json.RawMessage("true")}}),
		})
	},
	"pages-of-long-lists": func(c *chronicle) {
		c.start(pages(), 1)
		for round, more := range []string{"true", "false"} {
			c.handedUp("pages", 1, round, map[string]task.Dataset{
				"next": listOf(1), "rows": mergedList("recorded-1/rows"), "more": task.Inline([]task.Part{{Value: json.RawMessage(more)}}),
			})
		}
		c.rest()
	},
	"skipped-by-its-condition": func(c *chronicle) {
		def := words()
		def.Steps[2].When = &definition.Condition{Text: "count(totals) > params.top", Expr: definition.Expr{Op: ">", Args: []definition.Expr{
			{Op: definition.OpCount, Name: "totals"}, {Op: definition.OpParam, Name: "top"},
		}}}
		c.start(def, 2)
		c.rest()
	},
	"some-reused": func(c *chronicle) {
		def := words()
		def.Steps[0].Cache, def.Steps[0].Params = definition.CacheUse, map[string]json.RawMessage{"case": json.RawMessage(`"lower"`)}
		c.start(def, 4)
		c.tell(ReuseTasks{Address: "count", Attempt: 1, Tasks: task.Of(1, 3), At: c.at, Parts: []task.Produced{
			{Index: 1, Data: "partial", Part: task.Part{Key: "k1", Name: "one.txt", Ref: &task.Ref{Key: "yesterday/count/1", Size: 7, SHA256: "ab"}}},
			{Index: 3, Data: "partial", Part: task.Part{Key: "k1", Value: json.RawMessage("3")}},
		}, Origins: []task.Origin{
			{Index: 1, Key: "c1", Attempt: task.Attempt{Process: "yesterday", Address: "count", Index: 1, Attempt: 1}},
			{Index: 3, Key: "c3", Attempt: task.Attempt{Process: "yesterday", Address: "count", Index: 2, Attempt: 2}},
		}})
		c.done("count", 1, task.Of(0, 2))
	},
	"joined-by-key": func(c *chronicle) {
		left, right, both := step("left", "orders"), step("right", "payments"), step("bill", "bills")
		left.Each, right.Each = &definition.Each{Binding: bind("in")}, &definition.Each{Binding: bind("in")}
		both.Each = &definition.Each{Binding: bind("orders"), ByKey: true, With: []definition.Binding{{Local: "paid", Data: "payments"}}}
		c.start(definition.Definition{Name: "billing", Inputs: []string{"in"}, Outputs: []string{"bills"}, Steps: []definition.Step{left, right, both}}, 3)
		c.done("left", 1, task.Of(0))
		c.done("left", 1, task.Of(1, 2))
		c.done("right", 1, task.Of(0, 1, 2))
		c.done("bill", 1, task.Of(1))
	},
	"inputs-where-they-lie": func(c *chronicle) {
		c.tell(StartProcess{ID: "recorded", Definition: words(), At: c.at, Inputs: map[string]task.Dataset{"in": task.Inline([]task.Part{
			{Name: "a.txt", Ref: &task.Ref{URL: "s3://books/a.txt?region=eu-west-1", Size: 3, ETag: `"e1"`}},
			{Name: "b.txt", Ref: &task.Ref{URL: "file:///books/b.txt", Size: 4, SHA256: "ab"}},
		})}})
		c.tell(ConfirmTasks{Address: "count", Attempt: 1, Tasks: task.Of(0), Worker: "worker-1", At: c.at, Parts: []task.Produced{
			{Data: "partial", Part: task.Part{Key: "k", Ref: &task.Ref{URL: "s3://books/a.txt?region=eu-west-1", Size: 3, ETag: `"e1"`}}},
		}})
	},
	"nothing-to-do": func(c *chronicle) { c.start(words(), 0); c.rest() },
	"failed-for-good": func(c *chronicle) {
		c.start(words(), 3)
		c.done("count", 1, task.Of(0))
		c.failed("count", 1, task.Of(1), task.Permanent)
	},
	"failed-too-often": func(c *chronicle) {
		c.start(fanOut(0), 2)
		c.failed("work", 1, task.Span(0, 2), task.Retry)
		c.timer("work", 2, task.Span(0, 2))
		c.failed("work", 2, task.Of(1), task.Retry)
		c.timer("work", 3, task.Of(1))
		c.failed("work", 3, task.Of(1), task.TimedOut)
	},
	"waiting-for-retries": func(c *chronicle) {
		def := fanOut(0)
		def.Steps[0].Retry.Jitter, def.Steps[0].Retry.Factor = 0.5, 3
		c.start(def, 200)
		c.failed("work", 1, task.Of(0, 1, 70, 199), task.Retry)
		c.tell(FailTasks{
			Address: "work", Attempt: 1, Tasks: task.Of(5), Error: "busy", Verdict: task.Retry, After: task.Duration(90 * time.Second), At: c.at,
		})
		c.timer("work", 2, task.Of(0, 1))
		c.failed("work", 2, task.Of(1), task.Retry)
		c.done("work", 1, task.Of(70)) // late, while it waited
	},
	"timed-out": func(c *chronicle) {
		c.start(fanOut(0), 2)
		c.timedOut("work", 1, 1)
		c.done("work", 1, task.Of(0))
		c.timedOut("work", 2, 1)
		c.timedOut("work", 3, 1)
	},
	"lost-and-late": func(c *chronicle) {
		c.start(words(), 4)
		c.lost("count", 1, task.Of(1, 2))
		c.done("count", 1, task.Of(2)) // by the worker that was presumed dead
		c.rest()
	},
	"kills-its-workers": func(c *chronicle) {
		c.start(fanOut(0), 2)
		for attempt := range LossBudget + 1 {
			c.lost("work", attempt+1, task.Of(1))
		}
	},
	"tolerated": func(c *chronicle) { tolerated(c); c.rest() },
	"tolerated-then-retried": func(c *chronicle) {
		tolerated(c)
		c.rest()
		c.tell(RetryTasks{Address: "count", Tasks: task.Of(2), Asked: c.asked("the disk is back"), At: c.at})
	},
	"deadline-missed": func(c *chronicle) {
		def := words()
		def.Deadline = task.Duration(10 * time.Minute)
		c.start(def, 3)
		c.done("count", 1, task.Of(0))
		c.at = c.at.Add(time.Hour)
		c.tell(FireDeadline{At: c.at})
	},
	"cancelled": func(c *chronicle) {
		c.start(words(), 3)
		c.done("count", 1, task.Of(0))
		c.failed("count", 1, task.Of(1), task.Retry)
		c.tell(CancelProcess{Asked: c.asked("the wrong corpus"), At: c.at})
	},
	"cancelled-then-retried": func(c *chronicle) {
		c.start(words(), 3)
		c.failed("count", 1, task.Of(1), task.Retry)
		c.tell(CancelProcess{Asked: c.asked("by mistake"), At: c.at})
		c.tell(RetryTasks{Asked: c.asked("it was right"), At: c.at})
		c.done("count", 2, task.Of(1))
	},
	"paused": func(c *chronicle) {
		c.start(fanOut(2), 5)
		c.tell(PauseProcess{Asked: c.asked("maintenance"), At: c.at})
		c.done("work", 1, task.Of(0))
		c.lost("work", 1, task.Of(1))
	},
	"paused-and-resumed": func(c *chronicle) {
		c.start(words(), 2)
		c.tell(PauseProcess{Asked: c.asked("maintenance"), At: c.at})
		c.done("count", 1, task.Span(0, 2))
		c.tell(ResumeProcess{Asked: c.asked("done"), At: c.at})
		c.rest()
	},
	"failed-then-retried": func(c *chronicle) {
		c.start(words(), 3)
		c.failed("count", 1, task.Of(0, 2), task.Permanent)
		c.tell(RetryTasks{Asked: c.asked("fixed the input"), At: c.at})
		c.rest()
	},
	"restarted": func(c *chronicle) {
		c.start(words(), 3)
		c.rest()
		c.tell(RestartFrom{Address: "merge", Asked: c.asked("a better merge"), At: c.at})
		c.done("merge", 1, task.Of(0))
	},
	"restarted-group-after-a-failure": func(c *chronicle) {
		c.start(diamond(), 2)
		c.done("split", 1, task.Of(0))
		c.done("both/left", 1, task.Of(0))
		c.failed("aside", 1, task.Of(0), task.Permanent)
		c.tell(RestartFrom{Address: "both", Asked: c.asked("both sides"), At: c.at})
		c.rest()
	},
	"settings-revised": func(c *chronicle) {
		def := fanOut(1)
		c.start(def, 4)
		def = fanOut(3)
		def.Steps[0].Tolerate = definition.Tolerance{Percent: 50}
		c.tell(ReviseProcess{Definition: def, Base: c.s.Hash, Asked: c.asked("faster"), At: c.at})
		c.failed("work", 1, task.Of(1), task.Permanent)
	},
	"migrated": func(c *chronicle) {
		c.start(diamond(), 2)
		c.done("split", 1, task.Of(0))
		c.done("both/left", 1, task.Of(0))
		def := diamond()
		def.Version = "2"
		def.Steps[2].Run.Handler = "right/better" // runs, and begins anew
		def.Steps[4] = step("aside-too", "apart") // aside is taken out while it runs, and another put in
		c.tell(ReviseProcess{Definition: def, Asked: c.asked("version 2"), At: c.at})
	},
	"migrated-to-and-fro": func(c *chronicle) {
		c.start(diamond(), 2)
		def := diamond()
		def.Steps, def.Outputs = def.Steps[:4], def.Outputs[:1]
		c.tell(ReviseProcess{Definition: def, Asked: c.asked("without aside"), At: c.at})
		c.tell(ReviseProcess{Definition: diamond(), Asked: c.asked("with it after all"), At: c.at})
		c.rest()
	},
	"merged-in-rounds": func(c *chronicle) {
		c.start(fanOut(0), mergeWidth+1)
		for i := range mergeWidth + 1 {
			c.listed("work", task.Of(i))
		}
		c.rest()
	},
	"merging-then-restarted": func(c *chronicle) {
		def := words()
		def.Steps[0].Out = append(def.Steps[0].Out, definition.Outputs(bind("rejected"))...)
		c.start(def, 3)
		c.listed("count", task.Span(0, 3))
		c.done("deed/seal/partial", 1, task.Of(0))
		c.lost("deed/seal/rejected", 1, task.Of(0))
		c.tell(RestartFrom{Address: "count", Asked: c.asked("once more"), At: c.at})
		c.listed("count", task.Span(0, 2))
		c.done("count", 1, task.Of(2))
	},
}

// tolerated fails twice where that is tolerated, and goes on.
func tolerated(c *chronicle) {
	def := words()
	def.Steps[0].Tolerate = definition.Tolerance{Count: 2}
	c.start(def, 6)
	c.failed("count", 1, task.Of(2), task.Permanent)
	c.done("count", 1, task.Of(0, 1, 3))
	c.failed("count", 1, task.Of(5), task.Permanent)
	c.done("count", 1, task.Of(4))
}

// words is a shuffle: a fan-out, one by key into buckets, and one that reads
// the whole.
func words() definition.Definition {
	count, merge, top := step("count", "partial"), step("merge", "totals"), step("top", "counts")
	count.Each = &definition.Each{Binding: bind("in")}
	merge.Each = &definition.Each{Binding: bind("partial"), ByKey: true, Into: 3}
	top.In = []definition.Binding{{Local: "all", Data: "totals"}}
	top.Timeout = task.Duration(time.Minute)
	return definition.Definition{
		Name: "words", Version: "1", Inputs: []string{"in"}, Outputs: []string{"counts"},
		Params: map[string]json.RawMessage{"top": json.RawMessage(`20`)},
		Steps:  []definition.Step{count, merge, top},
	}
}

// diamond is two sides of one step, in a group, that join; and a step aside.
func diamond() definition.Definition {
	split, left, right, join, aside := step("split", "halves"), step("both/left", "l"), step("both/right", "r"), step("join", "whole"), step("aside", "apart")
	split.In = []definition.Binding{bind("in")}
	left.In, right.In = []definition.Binding{bind("halves")}, []definition.Binding{bind("halves")}
	join.In = []definition.Binding{bind("l"), bind("r")}
	return definition.Definition{
		Name: "diamond", Version: "1", Inputs: []string{"in"}, Outputs: []string{"whole", "apart"},
		Steps: []definition.Step{split, left, right, join, aside},
	}
}

func step(address, out string) definition.Step {
	return definition.Step{
		Address: address, Run: task.Run{Handler: "handle/" + out}, Out: definition.Outputs(bind(out)),
		Retry: definition.Retry{Attempts: 3, Backoff: definition.Backoff{Min: task.Duration(time.Second), Max: task.Duration(time.Minute)}},
	}
}

// library has a child a key, which shrinks what it is given and makes a sheet of it.
func library(attempts int) definition.Definition {
	shrink, sheet, album, book := step("shrink", "small"), step("sheet", "sheet"), step("album", "sheets"), step("bind", "book")
	shrink.Each = &definition.Each{Binding: bind("photos")}
	sheet.In = []definition.Binding{bind("small")}
	book.In = []definition.Binding{bind("sheets")}
	album.Run, album.Retry.Attempts = task.Run{}, attempts
	album.Each = &definition.Each{Binding: definition.Binding{Local: "photos", Data: "in"}, ByKey: true}
	album.Out = definition.Outputs(definition.Binding{Local: "sheet", Data: "sheets"})
	album.Process = &definition.Definition{Name: "album", Inputs: []string{"photos"}, Outputs: []string{"sheet"}, Steps: []definition.Step{shrink, sheet}}
	return definition.Definition{Name: "library", Inputs: []string{"in"}, Outputs: []string{"book"}, Steps: []definition.Step{album, book}}
}

// pages fetches page after page, and counts what they have.
func pages() definition.Definition {
	fetch, all, count := step("fetch", "next"), step("pages", "rows"), step("count", "total")
	fetch.In = []definition.Binding{bind("in"), bind("cursor")}
	fetch.Out = append(fetch.Out, definition.Output{Binding: bind("more"), JSON: definition.Boolean}, definition.Output{Binding: bind("rows")})
	all.Run, all.In = task.Run{}, []definition.Binding{bind("in")}
	all.Out = append(all.Out, definition.Output{Binding: definition.Binding{Local: "more", Data: "more-left"}, JSON: definition.Boolean})
	all.Process = &definition.Definition{Name: "page", Inputs: []string{"in", "cursor"}, Outputs: []string{"next", "more", "rows"}, Steps: []definition.Step{fetch}}
	all.Repeat = &definition.Repeat{
		Carry: map[string]string{"cursor": "next"}, Collect: []string{"rows"}, Max: 5,
		Until: &definition.Condition{Text: "!more", Expr: definition.Expr{Op: "!", Args: []definition.Expr{{Op: definition.OpName, Name: "more"}}}},
	}
	count.In = []definition.Binding{bind("rows")}
	return definition.Definition{Name: "pages", Inputs: []string{"in"}, Outputs: []string{"total", "more-left"}, Steps: []definition.Step{all, count}}
}
