// Package specs is the form in which deed's rules, and those of your own
// processes, are written down: given what happened, when somebody asks for
// something, then this follows. A specification is a plain value, so the same
// text is a test, a page of documentation and the output of `deed spec`.
//
//	specs.Spec{
//		Name:  "a duplicate of a result changes nothing",
//		Given: Events(Started(wordCount, Input("corpus", 2)), StepStarted("count", 2), Scheduled("count", All(2)), Confirmed("count", Only(1))),
//		When:  Confirm("count", Only(1)),
//		Then:  Nothing,
//	}
//
// Instead of events, a rule may tell what was asked for and reported (After),
// and what one sees of the outcome from the outside (Outcome). Package file
// reads such rules from a file beside a definition.
//
// The words (Started, Confirm, …) leave out what does not matter to a rule:
// times, workers, digests. All that is left is compared, and the whole list of
// events, never a part of it.
package specs
