//go:build !unix

package bench

import "time"

// cpuTime cannot be known here.
func cpuTime() time.Duration { return 0 }
