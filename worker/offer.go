package worker

import (
	"io/fs"
	"os"
	"path"
	"runtime"
	"strconv"
	"strings"

	"github.com/deedrun/deed/task"
)

// offer is what tasks may need together: what was said, and for the rest what
// this machine has. Of its memory nothing is known but on Linux: then tasks
// that need some are not for this worker, unless it is said. Nor are devices
// looked for.
func offer(said task.Resources) task.Resources {
	if said.CPU == 0 {
		said.CPU = float64(runtime.GOMAXPROCS(0)) // it knows the limit of a container
	}
	if said.Memory == 0 {
		said.Memory = Memory()
	}
	return said
}

// Memory is what a worker offers unless something else is said: what the
// machine or container has, in bytes; 0 where that is not known. Workers that
// share a machine had better be told what each of them has.
func Memory() int64 { return memory(os.DirFS("/")) }

// memory is what the machine has, or what the control groups of this process
// leave of it; 0: it is not known.
func memory(root fs.FS) int64 {
	most := int64(0)
	atMost := func(n int64) {
		if n > 0 && (most == 0 || n < most) {
			most = n
		}
	}
	atMost(memTotal(root))
	groups, _ := fs.ReadFile(root, "proc/self/cgroup") // none: there is no limit
	for line := range strings.Lines(string(groups)) {
		// "0::/path" is of version 2, "7:cpu,memory:/path" of version 1
		_, line, _ = strings.Cut(strings.TrimSpace(line), ":")
		controllers, group, _ := strings.Cut(line, ":")
		switch {
		case controllers == "":
			limits(root, "sys/fs/cgroup", group, "memory.max", atMost)
		case strings.Contains(","+controllers+",", ",memory,"):
			limits(root, "sys/fs/cgroup/memory", group, "memory.limit_in_bytes", atMost)
		}
	}
	return most
}

// limits reads the limit of a group and of those that it lies in.
func limits(root fs.FS, mount, group, file string, atMost func(int64)) {
	for group = path.Clean("/" + group); ; group = path.Dir(group) {
		text, err := fs.ReadFile(root, path.Join(mount, group, file))
		if n, isNumber := strconv.ParseInt(strings.TrimSpace(string(text)), 10, 64); err == nil && isNumber == nil {
			atMost(n) // what is no number is "max"
		}
		if group == "/" {
			return
		}
	}
}

func memTotal(root fs.FS) int64 {
	text, _ := fs.ReadFile(root, "proc/meminfo")
	for line := range strings.Lines(string(text)) {
		fields := strings.Fields(line)
		if len(fields) == 3 && fields[0] == "MemTotal:" && fields[2] == "kB" {
			n, _ := strconv.ParseInt(fields[1], 10, 64)
			return n * 1024
		}
	}
	return 0
}
