// Package standard is the handlers that every worker has, so that ordinary jobs
// need no code: deed/split, deed/concat, deed/sort, deed/merge, deed/partition,
// deed/count, deed/gzip, deed/gunzip, deed/zstd and deed/unzstd.
//
// Each reads one list of parts and writes one, of whatever local names. All of
// them stream: what they keep in memory is bounded by what they are told, whatever
// the size of a part, and what does not fit waits in a directory of the task.
//
// Their parameters, with types and defaults, are a table of package definition,
// which puts every one of them into the step: a handler has no defaults of its own,
// and what a stored definition means does not change with it. The same bytes give
// the same bytes, on every worker.
//
// An input that cannot be what it is said to be is a [BadInputError], which names
// the file and, where there are lines, the line. It fails for good: the bytes stay
// what they are.
package standard
