// Package process is the pure core of deed: one process as an event-sourced
// aggregate.
//
//	Decide(State, Command) ([]Event, error)   a refused command is an error, a repeated one gives no events
//	Evolve(State, Event) State                the only place where state changes
//	React(State, Event) []Effect              what the shell must now do
//	Resume(State) []Effect                    the same, recomputed after a crash or a takeover
//
// Nothing here reads a clock, draws a random number or does IO: time arrives
// in commands. So a history always folds to the same state, and every rule of
// supervision can be shown as a specification (see package specs).
//
// States are values. Evolve leaves the state it was given as it was; two
// states share what they have in common.
//
// The core returns the work, the shell performs it. Its duties, in this order:
//
//  1. Decide on the commands of a process one after the other, each on the state
//     after the one before. [Pass] does so for several at once.
//  2. Store the events, all or none, as what follows the version that the state
//     had. If that fails, throw the state away, [Fold] the history, decide again.
//  3. Perform the effects, once the events are stored and never before. One that is
//     performed twice does no harm: what comes of it is decided on again.
//  4. Perform what Resume says whenever a state was loaded: which of the earlier
//     effects were performed, nobody knows.
package process
