package blob

import (
	"os"
	"strconv"

	"golang.org/x/sys/unix"
)

// openNameless opens a new file in a folder, without a name there.
func openNameless(folder string) (*os.File, error) {
	return os.OpenFile(folder, unix.O_TMPFILE|os.O_RDWR, fileMode)
}

// name gives a file its name, unless something else has it. It needs /proc.
func name(f *os.File, path string) error {
	opened := "/proc/self/fd/" + strconv.Itoa(int(f.Fd()))
	if err := unix.Linkat(unix.AT_FDCWD, opened, unix.AT_FDCWD, path, unix.AT_SYMLINK_FOLLOW); err != nil {
		return &os.PathError{Op: "link", Path: path, Err: err}
	}
	return nil
}
