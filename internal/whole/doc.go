// Package whole tests and measures deed as a whole: scenarios that run over every
// store and queue, worlds that are stepped by one goroutine from one seed, servers,
// workers and machines that are killed, and the benchmarks of all of it.
package whole
