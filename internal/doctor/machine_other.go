//go:build !unix

package doctor

import "errors"

var errUnknown = errors.New("this operating system is not asked")

func diskOf(string) (free, size int64, err error) { return 0, 0, errUnknown }
func openFiles() (uint64, error)                  { return 0, errUnknown }
