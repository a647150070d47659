package folder

import (
	"os"
	"path/filepath"
	"strconv"
)

// Scratch is where the programs of this process get their directories. It
// lies in the data folder, so that what a killed process leaves behind is found.
func (f Folder) Scratch() (string, error) {
	dir := filepath.Join(f.dir, "tmp", strconv.Itoa(os.Getpid()))
	return dir, os.MkdirAll(dir, 0o700)
}

// Sweep removes the scratch directories of processes that are no more.
func (f Folder) Sweep() {
	all := filepath.Join(f.dir, "tmp")
	left, err := os.ReadDir(all)
	if err != nil {
		return // there is none
	}
	for _, d := range left {
		if pid, err := strconv.Atoi(d.Name()); err == nil && (pid == os.Getpid() || !alive(pid)) {
			_ = os.RemoveAll(filepath.Join(all, d.Name()))
		}
	}
}
