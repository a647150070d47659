//go:build race

package worker_test

// raced says that the race detector looks on, which takes its time for each byte.
const raced = true
