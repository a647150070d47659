//go:build race

package storetest

// raced says that the race detector looks on, which takes its time for each byte.
const raced = true
