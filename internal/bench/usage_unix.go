//go:build unix

package bench

import (
	"syscall"
	"time"
)

// cpuTime is what this process has used of all processors, in the system, too.
func cpuTime() time.Duration {
	u, ok := usage()
	if !ok {
		return 0
	}
	return time.Duration(u.Utime.Nano() + u.Stime.Nano())
}

func usage() (u syscall.Rusage, ok bool) {
	return u, syscall.Getrusage(syscall.RUSAGE_SELF, &u) == nil
}
