//go:build linux || darwin

package deed

import "syscall"

// disk is how much is free where a folder is, for this user, and in all.
func disk(dir string) (free, size uint64, ok bool) {
	var s syscall.Statfs_t
	if dir == "" || syscall.Statfs(dir, &s) != nil {
		return 0, 0, false
	}
	block := uint64(s.Bsize)
	return s.Bavail * block, s.Blocks * block, true
}
