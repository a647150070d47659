package aggregate

import (
	"github.com/deedrun/deed/orchestrator/definition"
	"github.com/deedrun/deed/orchestrator/process"
	. "github.com/deedrun/deed/specs"
	"github.com/deedrun/deed/task"
)

// album is what happens to the photos of one folder.
var album = define("album", names("photos"), names("sheet"),
	step("shrink", each("photos"), writes("small")),
	step("sheet", reads("small"), writes("sheet")),
)

// library has a child a folder: what each of them writes to sheet is gathered as sheets.
var library = libraryWith("library")

func libraryWith(name string, more ...func(*definition.Step)) definition.Definition {
	options := append([]func(*definition.Step){byKey("photos"), child(album), func(s *definition.Step) {
		s.Out = definition.Outputs(definition.Binding{Local: "sheet", Data: "sheets"})
	}}, more...)
	return define(name, names("photos"), names("book"), step("album", options...), step("bind", reads("sheets"), writes("book")))
}

var (
	libraryTwice     = libraryWith("library-twice", tried(2, second, second))
	libraryLenient   = libraryWith("library-lenient", tolerating(definition.Tolerance{Count: 1}))
	libraryOneByOne  = libraryWith("library-one-by-one", atMost(1))
	seaAndWoods      = InputKeyed("photos", "sea", "woods")
	childOutOfPaper  = "its child example-x: process failed at sheet: out of paper"
	childFailedPart  = Because(childOutOfPaper)
	childOfSea       = Parent("album", 0)
	photoOfTheChild  = InputKeyed("photos", "sea")
	wholeAlbumOfTask = []process.Effect{process.StartChildren{Address: "album", Attempt: 1, Tasks: task.Span(0, 2)}}
)

// opened is a library with a child for each of two folders.
func opened(def definition.Definition, then ...process.Event) []process.Event {
	return following(Events(Started(def, seaAndWoods), StepStarted("album", 2), Scheduled("album", All(2))), then...)
}

// shrunk is the child of the first folder, with its photo shrunk.
func shrunk(then ...process.Event) []process.Event {
	return following(Events(
		StartedAsChild(childOfSea, album, photoOfTheChild), StepStarted("shrink", 1), Scheduled("shrink", All(1)),
		Confirmed("shrink", Only(0), Wrote(0, "small")), StepCompleted("shrink", List("small", 1)),
		StepStarted("sheet", 1), Scheduled("sheet", All(1)),
	), then...)
}

func children() Feature {
	return Feature{
		Name: "children",
		About: "A step with `process:`, or a group with `each:`, makes each task a process of its own: a child, with its own stream, which " +
			"reads what the task is given and hands up what the task writes. To its parent a child is a task like any other: it may be " +
			"tried again, which is another child, tolerated, limited by `parallelism`. There is no barrier between the steps of different " +
			"children. When the parent ends, or pauses, the shell tells the children that are under way.",
		Specs: []Spec{
			{
				Name:  "each element has a child of its own",
				When:  Start(library, seaAndWoods),
				Then:  opened(library),
				Sends: wholeAlbumOfTask,
			},
			{
				Name: "where the elements are listed in a manifest, a worker looks up what each child reads",
				When: Start(library, ListMerged("photos", 5000, 700)),
				Then: Events(
					Started(library, ListMerged("photos", 5000, 700)), StepStarted("album", 700), Scheduled("album", All(700)),
				),
				Sends: []process.Effect{process.Enqueue{Address: "album", Attempt: 1, Tasks: task.Span(0, 700)}},
			},
			{
				Name:  "what a child hands up is what its task wrote",
				Given: opened(library),
				When:  Confirm("album", Only(1), HandedUp("sheet", 1)),
				Then:  Events(Confirmed("album", Only(1), HandedUp("sheet", 1))),
			},
			{
				Name:  "when the last child has completed, what they handed up is gathered in the order of the elements",
				Given: opened(library, Confirmed("album", Only(1), HandedUp("sheet", 1))),
				When:  Confirm("album", Only(0), HandedUp("sheet", 2)),
				Then: Events(
					Confirmed("album", Only(0), HandedUp("sheet", 2)),
					StepCompleted("album", List("sheets", 3)),
					StepStarted("bind", 1), Scheduled("bind", All(1)),
				),
			},
			{
				Name:  "what a child lists in a manifest is merged with what the others hand up",
				Given: opened(library, Confirmed("album", Only(1), HandedUp("sheet", 1))),
				When:  Confirm("album", Only(0), HandedUpListed("sheet", 5000, 1)),
				Then: Events(
					Confirmed("album", Only(0), HandedUpListed("sheet", 5000, 1)),
					StepStarted("deed/seal/sheets", 1), Scheduled("deed/seal/sheets", All(1)),
				),
			},
			{
				Name:  "the same end told twice counts once",
				Given: opened(library, Confirmed("album", Only(1), HandedUp("sheet", 1))),
				When:  Confirm("album", Only(1), HandedUp("sheet", 1)),
				Then:  Nothing,
			},
			{
				Name:  "what no child can have handed up fails the task for good",
				Given: opened(library),
				When:  Confirm("album", Only(1), HandedUp("cover", 1)),
				Then: Events(
					Failed("album", Only(1), Permanently(), Because(`the child of album[1] handed up "cover", which is not among its outputs`)),
					ProcessFailed("album", 1, `failed for good: the child of album[1] handed up "cover", which is not among its outputs`, About("woods")),
				),
			},
			{
				Name:  "a child that fails fails its parent, which says why",
				Given: opened(library),
				When:  Fail("album", Only(0), childFailedPart),
				Then: Events(
					Failed("album", Only(0), childFailedPart),
					ProcessFailed("album", 0, "failed at its only attempt: "+childOutOfPaper, About("sea")),
				),
				Sends: []process.Effect{process.Halt{}},
			},
			{
				Name:  "a step that may try twice has another child after the first one failed",
				Given: opened(libraryTwice),
				When:  Fail("album", Only(0), childFailedPart),
				Then: Events(
					Failed("album", Only(0), childFailedPart),
					RetryPlanned("album", Only(0), Attempt(2), After(second)),
				),
			},
			{
				Name: "the second attempt is another child",
				Given: opened(libraryTwice,
					Failed("album", Only(0), childFailedPart), RetryPlanned("album", Only(0), Attempt(2), After(second)),
				),
				When:  Fire("album", Only(0), Attempt(2)),
				Then:  Events(Scheduled("album", Only(0), Attempt(2))),
				Sends: []process.Effect{process.StartChildren{Address: "album", Attempt: 2, Tasks: task.Of(0)}},
			},
			{
				Name:  "a child that fails is skipped where that is tolerated",
				Given: opened(libraryLenient),
				When:  Fail("album", Only(0), childFailedPart),
				Then: Events(
					Failed("album", Only(0), childFailedPart),
					Skipped("album", Only(0), "failed at its only attempt: "+childOutOfPaper, About("sea")),
				),
			},
			{
				Name: "there are no more children at a time than the parallelism of their step",
				When: Start(libraryOneByOne, seaAndWoods),
				Then: Events(Started(libraryOneByOne, seaAndWoods), StepStarted("album", 2), Scheduled("album", Only(0))),
			},
			{
				Name:  "a restart of the step has new children",
				Given: opened(library, Confirmed("album", Only(1), HandedUp("sheet", 1))),
				When:  Restart("album"),
				Then: Events(
					Restarted("album", Anew("album", 1)),
					StepStarted("album", 2, Generation(1)), Scheduled("album", All(2), Generation(1)),
				),
			},
			{
				Name:  "a child says to its parent that it has begun",
				When:  StartAsChild(childOfSea, album, photoOfTheChild),
				Then:  Events(StartedAsChild(childOfSea, album, photoOfTheChild), StepStarted("shrink", 1), Scheduled("shrink", All(1))),
				Sends: []process.Effect{process.TellParent{}, process.Enqueue{Address: "shrink", Attempt: 1, Tasks: task.Span(0, 1)}},
			},
			{
				Name:  "a child says to its parent that it has completed",
				Given: shrunk(),
				When:  Confirm("sheet", Only(0), Wrote(0, "sheet")),
				Then: Events(
					Confirmed("sheet", Only(0), Wrote(0, "sheet")), StepCompleted("sheet", List("sheet", 1)), ProcessCompleted(),
				),
				Sends: []process.Effect{process.TellParent{}},
			},
			{
				Name:  "a child that a person cancels says so to its parent",
				Given: shrunk(),
				When:  Cancel(By("ada")),
				Then:  Events(Cancelled(By("ada"))),
				Sends: []process.Effect{process.Halt{}, process.TellParent{}},
			},
			{
				Name:  "a child that is started again goes on as it is, also if its parent was given another definition meanwhile",
				Given: shrunk(),
				When:  StartAsChild(childOfSea, lenient, photoOfTheChild),
				Then:  Nothing,
			},
			{
				Name: "the start of a child under another ID is refused",
				When: func() process.StartProcess {
					c := StartAsChild(childOfSea, album, photoOfTheChild)
					c.ID = "mine"
					return c
				}(),
				Fails: "it is not the child of example/album[0] attempt 1",
			},
			{
				Name:  "a step whose child is not given what it reads is refused",
				When:  Start(define("broken", names("photos"), names("sheet"), step("album", child(album), writes("sheet"))), Input("photos", 1)),
				Fails: `the child of step "album" is not given its input "photos"`,
			},
		},
	}
}
