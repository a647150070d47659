//go:build unix

package doctor

import (
	"fmt"
	"math"
	"syscall"
)

func diskOf(dir string) (free, size int64, err error) {
	var s syscall.Statfs_t
	if err := syscall.Statfs(dir, &s); err != nil {
		return 0, 0, fmt.Errorf("statfs %s: %w", dir, err)
	}
	block := int64(s.Bsize) //nolint:unconvert // another type on other systems
	return int64(s.Bavail) * block, int64(s.Blocks) * block, nil
}

func openFiles() (uint64, error) {
	var r syscall.Rlimit
	if err := syscall.Getrlimit(syscall.RLIMIT_NOFILE, &r); err != nil {
		return 0, fmt.Errorf("getrlimit: %w", err)
	}
	return min(uint64(r.Cur), math.MaxInt64), nil //nolint:unconvert // another type on other systems
}
