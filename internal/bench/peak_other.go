//go:build !linux && !darwin

package bench

// peakMemory cannot be known here.
func peakMemory() int64 { return 0 }

// residentMemory cannot be known here without more than the standard library.
func residentMemory() int64 { return 0 }

// forgetPeak cannot make it forgotten here.
func forgetPeak() {}
