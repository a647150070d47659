// Package task is the contract between the two contexts of deed: what the
// orchestration context puts on the work queue ([Work]), what a worker answers
// ([Report]), and what both say about data ([Part], [Ref], [Dataset]).
//
// It is pure: values, their wire form, and nothing that does IO. Everything
// here crosses process and version boundaries as JSON, so a field's name and
// meaning never change once released; unknown fields are ignored.
package task
