//go:build unix

package doctor

import (
	"fmt"
	"math"
	"syscall"
)

func openFiles() (uint64, error) {
	var r syscall.Rlimit
	if err := syscall.Getrlimit(syscall.RLIMIT_NOFILE, &r); err != nil {
		return 0, fmt.Errorf("getrlimit: %w", err)
	}
	return min(uint64(r.Cur), math.MaxInt64), nil //nolint:unconvert // another type on other systems
}
