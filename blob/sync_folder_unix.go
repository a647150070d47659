//go:build unix

package blob

import "os"

// syncFolder makes the names in a folder as safe as what they name.
func syncFolder(name string) error { return syncOpened(os.Open(name)) }
