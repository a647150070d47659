// Package orchestrator is the shell around the pure core: it moves commands,
// events and tasks between the core, the event store and the queues.
//
//	inbox ──► Owner: load → Decide → Append → React ──► feeder ──► work queue
//	            ▲            timers, timeouts ──┘
//	            └── heartbeats
//
// The Owner does everything in one order: receive, decide, append, then act on
// the effects, then answer and acknowledge. Append first, act afterwards: if it
// dies in between, Resume derives the same effects again from what is stored.
// Any number of Owners share the processes of a store among themselves, by
// shards: each says what it holds, and takes what falls to it (members.go). For
// a moment two may hold the same: the expected version fences them, and the
// loser reloads.
//
// Every role is a stepped machine over injected backends and clock: Step does
// what is to be done now and says when to come back. Goroutines live only in
// Run, so one goroutine and one seed can drive a whole world in a test.
package orchestrator
