//go:build !linux && !darwin

package bench

// peakMemory cannot be known here.
func peakMemory() int64 { return 0 }
