// Package orchestrator is the shell around the pure core: it moves commands,
// events and tasks between the core, the event store and the queues.
//
//	inbox ──► Owner: load → Decide → Append → React ──► feeder ──► work queue
//	            ▲            timers, timeouts ──┘
//	            └── heartbeats
//
// The [Owner] does everything in one order: receive, decide, append, then act on
// the effects, then answer and acknowledge. Append first, act afterwards: if it
// dies in between, Resume derives the same effects again from what is stored.
// Any number of Owners share the processes of a store among themselves, by
// shards: each says what it holds, and takes what falls to it. For a moment two
// may hold the same: the expected version fences them, and the loser reloads.
//
// Every role is a stepped machine over injected backends and clock: Step does
// what is to be done now and says when to come back. Goroutines live only in
// Run, so one goroutine and one seed can drive a whole world in a test.
//
// People and programs are on the other side:
//
//   - a [Client] sends commands, follows processes, and asks what goes on now
//     (a [View], memory of the Owners, gone a second later);
//   - [Load], [History] and [IDs] read what is stored, with or without an Owner,
//     and [Record] decides on a command where nobody orchestrates;
//   - [Views] lists processes, quickly where there are many;
//   - an [Archive] moves histories that are over into files, and reads them from
//     there; a [Keeper] does so by age.
//
// What is not the event stream may be lost: snapshots, stored views and what an
// Owner remembers are made again from it. A command that is answered is stored.
// Tasks are executed at least once, and confirmed once.
package orchestrator
