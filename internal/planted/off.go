//go:build !planted

package planted

// Is reports whether the fault is planted: never, in this build.
func Is(Fault) bool { return false }
