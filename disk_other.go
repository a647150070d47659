//go:build !linux && !darwin

package deed

// disk cannot be known here.
func disk(string) (free, size uint64, ok bool) { return 0, 0, false }
