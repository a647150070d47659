// Package task is the contract between the two contexts of deed: what the
// orchestration context puts on the work queue, what a worker answers, and what
// both say about data.
//
//	orchestrator ──► Work ─────────────────────► worker
//	             ◄── Report, in an Envelope ────
//	             ◄── Heartbeat ─────────────────      signals: see the topics
//	             ──► Cancel, Drain ─────────────►
//
// A [Work] is about tasks of one attempt at one step, named by [Ranges] of indexes,
// and brings what they read: each [Input] is lists of [Part], or the [Manifest] in
// which to look them up. A [Report] has a [Result] for tasks that ended alike, with
// what they wrote ([Produced]) or why they failed ([Failure]). Once all of a step are
// done, what they wrote to a name is a [Dataset].
//
// It is pure: values, their wire form, and nothing that does IO. Everything
// here crosses process and version boundaries as JSON, so a field's name and
// meaning never change once released; unknown fields are ignored.
package task
