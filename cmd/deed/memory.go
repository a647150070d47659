package main

import (
	"os"
	"runtime/debug"

	"github.com/deedrun/deed/worker"
)

const (
	// garbage is how much may lie about before it is collected, as a percentage of
	// what is in use. Each message leaves some kilobytes, most of it the server's, and
	// little is in use: at Go's own 100 % a fan-out collects every few thousand tasks,
	// which is an eighth of all its processor time.
	garbage = 400

	// garbageShare is the part of the memory of the machine, or of the container,
	// beyond which it is collected anyway.
	garbageShare = 0.5
)

// tuneMemory trades memory for processor time, as long as there is enough. Who
// sets GOGC or GOMEMLIMIT has decided.
func tuneMemory() {
	if os.Getenv("GOGC") != "" || os.Getenv("GOMEMLIMIT") != "" {
		return
	}
	debug.SetGCPercent(garbage)
	if all := worker.Memory(); all > 0 {
		debug.SetMemoryLimit(int64(float64(all) * garbageShare))
	}
}
