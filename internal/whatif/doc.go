// Package whatif tells what would have happened to a process under another
// definition. It folds the recorded history a second time, and runs nothing.
//
//	r := whatif.New(change)
//	for each recorded event { r.Next(event) }
//	report, err := r.Report()
//
// Two worlds stand side by side. The recorded one is cut into turns: what one
// command led to. The other one began with the changed definition, and is given
// the same commands at the same times; it decides on them for itself. Where the
// two first decide differently is the divergence.
//
// What is known of the other world is what is recorded of this one:
//
//   - A result counts for the attempt that it was recorded of. Where the other
//     world schedules that later (a longer backoff, a lower parallelism), the
//     result waits for it, and then takes as long as the recorded execution took.
//     How long a failed attempt took is not recorded: a failure that had to wait
//     comes at once.
//   - A planned retry and a deadline come at the time of the other world.
//   - A result counts only if its step does the same work on the same data in
//     both worlds. How long a task would have run under another timeout, or what
//     it would have done with other parameters, is not known: see Report.Notes.
//   - Where a result is needed that nobody recorded, knowledge ends:
//     see Report.Unknown.
//
// The package is pure: it reads no clock and does no IO. It holds two states
// and what waits, never the history.
package whatif
