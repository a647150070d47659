//go:build !unix

package deed

// alive cannot be known here; connecting tells.
func alive(int) bool { return true }
