// Package words counts words. Its three handlers are a map, a merge of
// shuffled data and a summary, as most batch jobs have them:
//
//	words/count   one text           → per initial letter, the counts of its words
//	words/merge   a bucket of letters → the counts of those words over all texts
//	words/top     all of those        → every word with its count, and the most frequent
//
// A word is a maximal run of ASCII letters, in lower case. Counts travel as
// lines "word<TAB>count", sorted by the bytes of the word, so that any program
// can read them.
//
// A handler streams what it reads and writes. What it keeps in memory is the
// table of distinct words it has seen.
package words
