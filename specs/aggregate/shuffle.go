package aggregate

import . "github.com/deedrun/deed/specs"

var albums = define("albums", names("photos"), names("sheets"),
	step("sheet", byKey("photos"), writes("sheets")),
)

func shuffle() Feature {
	return Feature{
		Name: "the shuffle",
		About: "`each: x by key` has one task a distinct key, which reads all parts of that key; `by key into N` shares the keys among " +
			"N tasks. Parts without a key have the empty key, which is one like any other.",
		Specs: []Spec{
			{
				Name: "by key, a step has one task a distinct key",
				When: Start(albums, InputKeyed("photos", "alps", "alps", "rome")),
				Then: Events(
					Started(albums, InputKeyed("photos", "alps", "alps", "rome")),
					StepStarted("sheet", 2), Scheduled("sheet", All(2)),
				),
			},
			{
				Name:  "by key into N, a step has N tasks, however many keys there are",
				Given: begun(wordCount, 1),
				When:  Confirm("count", Only(0), Wrote(0, "partial", "a"), Wrote(0, "partial", "b"), Wrote(0, "partial", "c")),
				Then: Events(
					Confirmed("count", Only(0), Wrote(0, "partial", "a"), Wrote(0, "partial", "b"), Wrote(0, "partial", "c")),
					StepCompleted("count", ListKeyed("partial", 3, 3)),
					StepStarted("merge", 2), Scheduled("merge", All(2)),
				),
			},
			{
				Name: "more than 10,000 distinct keys without into end the process, with the remedy",
				When: Start(albums, ListMerged("photos", 30_000, 20_000)),
				Then: Events(
					Started(albums, ListMerged("photos", 30_000, 20_000)),
					ProcessFailed("sheet", -1, "photos has 20000 distinct keys, and `each: photos by key` takes at most 10000; write `by key into N` to share them among N tasks"),
				),
			},
		},
	}
}
