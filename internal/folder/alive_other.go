//go:build !unix

package folder

// alive cannot be known here; connecting tells.
func alive(int) bool { return true }
