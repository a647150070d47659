//go:build !linux && !darwin && !freebsd

package folder

import (
	"errors"
)

// Disk is how much is free where a folder is, for this user, and in all.
func Disk(string) (free, size int64, err error) {
	return 0, 0, errors.New("this operating system is not asked")
}
