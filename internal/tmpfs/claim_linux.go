package tmpfs

import (
	"os"
	"path/filepath"
	"syscall"
)

// ours is what the names of the folders begin with that claim makes.
const ours = "deed-tests-"

// claimed keeps the lock of this process's folder until the process ends, however
// that is. Processes that it starts do not have it.
var claimed *os.File

// claim makes a folder of this process's own, and first removes those of processes
// that were killed: what they left is in memory that nobody else gets back.
func claim(shared string) (dir string, ok bool) {
	sweep(shared)
	dir, err := os.MkdirTemp(shared, ours)
	if err != nil {
		return "", false
	}
	if claimed, err = os.Open(dir); err != nil || syscall.Flock(int(claimed.Fd()), syscall.LOCK_EX) != nil {
		return "", false
	}
	_, err = os.Stat(dir) // another process may have swept before it was locked
	return dir, err == nil
}

// sweep removes the folders that no process has locked. What it cannot remove is
// another user's.
func sweep(shared string) {
	left, err := filepath.Glob(filepath.Join(shared, ours+"*"))
	if err != nil {
		return
	}
	for _, dir := range left {
		f, err := os.Open(dir)
		if err != nil {
			continue
		}
		if syscall.Flock(int(f.Fd()), syscall.LOCK_EX|syscall.LOCK_NB) == nil {
			_ = os.RemoveAll(dir)
		}
		_ = f.Close()
	}
}
