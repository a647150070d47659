package tmpfs

import (
	"bytes"
	"fmt"
	"os"
	"syscall"
)

// shared is the folder that Linux has for memory that processes share.
const shared = "/dev/shm"

// The kernel's names for what the package syscall has no names for.
const (
	tmpfsMagic = 0x01021994 // TMPFS_MAGIC
	noexec     = 0x8        // ST_NOEXEC
)

func folder() (dir string, ok bool) {
	var fs syscall.Statfs_t
	if err := syscall.Statfs(shared, &fs); err != nil {
		return "", false
	}
	if !suits(fs, available()) || !attributes(shared) {
		return "", false
	}
	return claim(shared)
}

// suits says that files lie in memory there, that the folder and the machine have
// room for them, and that programs are started from there.
func suits(fs syscall.Statfs_t, memory uint64) bool {
	return fs.Type == tmpfsMagic && fs.Flags&noexec == 0 && fs.Bavail*uint64(fs.Bsize) >= room && memory >= room
}

// attributes says that who runs the tests may make files there, and give them
// attributes of their own. versitygw does; kernels before 6.6 refuse that in memory.
func attributes(dir string) bool {
	probe, err := os.MkdirTemp(dir, "deed-probe")
	if err != nil {
		return false
	}
	refused := syscall.Setxattr(probe, "user.deed", []byte("probe"), 0)
	return os.Remove(probe) == nil && refused == nil
}

// available is how much memory the machine could still give away, in bytes; 0 if
// it does not say.
func available() uint64 {
	said, err := os.ReadFile("/proc/meminfo")
	if err != nil {
		return 0
	}
	for line := range bytes.Lines(said) {
		var kib uint64
		if n, _ := fmt.Sscanf(string(line), "MemAvailable: %d kB", &kib); n == 1 {
			return kib << 10
		}
	}
	return 0
}
