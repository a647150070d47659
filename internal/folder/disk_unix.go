//go:build linux || darwin || freebsd

package folder

import (
	"fmt"
	"syscall"
)

// Disk is how much is free where a folder is, for this user, and in all.
func Disk(dir string) (free, size int64, err error) {
	var s syscall.Statfs_t
	if err := syscall.Statfs(dir, &s); err != nil {
		return 0, 0, fmt.Errorf("statfs %s: %w", dir, err)
	}
	block := int64(s.Bsize)        //nolint:unconvert // another type on other systems
	free = max(int64(s.Bavail), 0) // less than nothing is free where root has taken of what is kept for it
	return free * block, int64(s.Blocks) * block, nil
}
