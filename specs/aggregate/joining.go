package aggregate

import (
	"github.com/deedrun/deed/orchestrator/definition"
	. "github.com/deedrun/deed/specs"
)

func join(left, right string, into int) func(*definition.Step) {
	return func(s *definition.Step) {
		s.Each = &definition.Each{Binding: binding(left), ByKey: true, Into: into, With: []definition.Binding{binding(right)}}
	}
}

// billing joins orders with payments.
var billing = define("billing", names("orders", "payments"), names("bills"),
	step("bill", join("orders", "payments", 0), writes("bills")),
)

// billingInto is the same with the keys shared among four tasks.
var billingInto = define("billing-into", names("orders", "payments"), names("bills"),
	step("bill", join("orders", "payments", 4), writes("bills")),
)

func joining() Feature {
	return Feature{
		Name: "joins",
		About: "`each: [a, b] by key` has one task for every key that any of the names has; it reads the parts of that key of each of them, " +
			"of which there may be none. `by key into N` shares the keys among N tasks. Without `into` the core has to know the keys, which " +
			"it does of lists that are short, and of merged lists with 10,000 keys at most, which are 64 KiB at most together.",
		Specs: []Spec{
			{
				Name: "a join has one task for every key that any of its names has",
				When: Start(billing, InputKeyed("orders", "ann", "bob", "bob"), InputKeyed("payments", "bob", "cyd")),
				Then: Events(
					Started(billing, InputKeyed("orders", "ann", "bob", "bob"), InputKeyed("payments", "bob", "cyd")),
					StepStarted("bill", 3), Scheduled("bill", All(3)),
				),
			},
			{
				Name: "a join into N has N tasks if any of its names has a part",
				When: Start(billingInto, Input("orders", 0), InputKeyed("payments", "bob")),
				Then: Events(
					Started(billingInto, Input("orders", 0), InputKeyed("payments", "bob")),
					StepStarted("bill", 4), Scheduled("bill", All(4)),
				),
			},
			{
				Name: "a join of nothing has no task",
				When: Start(billingInto, Input("orders", 0), Input("payments", 0)),
				Then: Events(
					Started(billingInto, Input("orders", 0), Input("payments", 0)),
					StepStarted("bill", 0), StepCompleted("bill", List("bills", 0)), ProcessCompleted(),
				),
			},
			{
				Name: "a join of a list whose keys are not known ends the process, with the remedy",
				When: Start(billing, ListMerged("orders", 9000, 8000), InputKeyed("payments", "bob")),
				Then: Events(
					Started(billing, ListMerged("orders", 9000, 8000), InputKeyed("payments", "bob")),
					ProcessFailed("bill", -1, "orders has 8000 distinct keys, too many or too long to be listed for a join; write `by key into N` to share them among N tasks"),
				),
			},
		},
	}
}
