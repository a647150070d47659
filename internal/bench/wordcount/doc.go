// Package wordcount is a map and a reduce over many texts, written twice: as a
// process of deed, and as a plain Go program that orchestrates nothing. Both call
// the same functions for the work itself and write the same files, so what one
// takes longer than the other is what deed costs:
//
//	count   a text                 → 16 lists of counts, by the hash of the words
//	add up  a list of every text   → their sum, sorted
//	merge   the 16 sums            → one file, sorted
//
//	text ─ count ─┬─ bucket 0  ─ add up ─┐
//	text ─ count ─┼─ …                   ├─ merge ─ counts
//	text ─ count ─┴─ bucket 15 ─ add up ─┘
//
// The plain program has as many goroutines as deed has workers, waits for all of
// a stage before it begins the next one, and computes the SHA-256 of all that it
// writes and reads, as deed does. It keeps no record, and cannot go on where it was
// killed.
package wordcount
