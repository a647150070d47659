package bench

// peakMemory is the most memory that this process ever had resident.
func peakMemory() int64 {
	u, _ := usage()
	return u.Maxrss // in bytes here
}

// residentMemory cannot be known here without more than the standard library.
func residentMemory() int64 { return 0 }

// forgetPeak cannot make it forgotten here.
func forgetPeak() {}
