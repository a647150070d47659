// Package tmpfs lets the temporary folders of a package's tests lie in memory.
// Tests that write thousands of small files, or sync each event, otherwise wait
// for the disk of the machine and for nothing of deed.
//
// A process that is killed loses nothing there that a disk would keep; what it leaves
// behind is removed by the next one that calls Use. What a test says about disks themselves, or how long
// something takes on one, has to stay on a disk: such a package does not call Use.
package tmpfs

import "os"

// room is what has to be free: some tests write a GiB, and several run at once.
const room = 6 << 30

// Use makes folders in memory those of this process's temporary files, and of the
// processes that it starts. It does nothing where TMPDIR already says where they
// are, or where the system has no such folder, too little room in it, or does not
// let it hold programs and attributes of files. Call it in TestMain, before any test.
func Use() {
	if os.Getenv("TMPDIR") != "" {
		return
	}
	if dir, ok := folder(); ok {
		_ = os.Setenv("TMPDIR", dir) // it fails for names that are none
	}
}
