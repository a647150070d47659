// Package definition is what a process is made of: steps that read and write
// named data.
//
//	file ── parse ──► Source ── Check ──► []Fault
//	                    │
//	                    └── Resolve (params, settings, files) ──► Definition ── Plan
//
// A [Source] is what the author wrote, with the place of every word; [Check],
// the data dependency checker, says all that is wrong with it before anything
// runs; [Resolve] fills in what the author left out and what was given at
// submit. A [Definition] is the outcome: complete, flat, and stored in the
// first event of a process, so that no later default changes an old process.
//
// Everything here is pure: no files, no clock. What is read from a file is the
// matter of the package parse.
package definition
