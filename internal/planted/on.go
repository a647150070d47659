//go:build planted

package planted

var active Fault

// Plant plants a fault; "" takes it out again. Not for concurrent use.
func Plant(f Fault) { active = f }

// Is reports whether the fault is planted.
func Is(f Fault) bool { return active == f }
