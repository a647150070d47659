package bench

// peakMemory is the most memory that this process ever had resident.
func peakMemory() int64 {
	u, _ := usage()
	return u.Maxrss // in bytes here
}
