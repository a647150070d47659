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
// The shape is the Decider of Jérémie Chassaing (decide, evolve, initial
// state); React and Resume follow etcd's raft: the core returns the work, the
// shell performs it, after the events are stored.
package process
