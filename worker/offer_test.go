package worker

import (
	"runtime"
	"testing"
	"testing/fstest"

	"github.com/stretchr/testify/require"

	"github.com/deedrun/deed/task"
)

func TestTheMemoryOfAWorkerIsThatOfItsMachineOrOfItsContainer(t *testing.T) {
	const gib = 1 << 30
	file := func(text string) *fstest.MapFile { return &fstest.MapFile{Data: []byte(text)} }
	machine := file("MemTotal:       33554432 kB\nMemFree:        123 kB\n")
	for name, c := range map[string]struct {
		root fstest.MapFS
		want int64
	}{
		"nothing is known": {fstest.MapFS{}, 0},
		"no limit":         {fstest.MapFS{"proc/meminfo": machine, "proc/self/cgroup": file("0::/\n")}, 32 * gib},
		"a container that sees its own group": {fstest.MapFS{
			"proc/meminfo": machine, "proc/self/cgroup": file("0::/\n"), "sys/fs/cgroup/memory.max": file("2147483648\n"),
		}, 2 * gib},
		"the smallest limit of the groups above": {fstest.MapFS{
			"proc/meminfo": machine, "proc/self/cgroup": file("0::/a/b/c\n"),
			"sys/fs/cgroup/a/memory.max": file("1073741824\n"), "sys/fs/cgroup/a/b/memory.max": file("4294967296\n"), "sys/fs/cgroup/a/b/c/memory.max": file("max\n"),
		}, gib},
		"version 1, whose limit may be more than there is": {fstest.MapFS{
			"proc/meminfo": machine, "proc/self/cgroup": file("5:cpu,cpuacct:/x\n7:hugetlb,memory:/y\nnonsense\n"),
			"sys/fs/cgroup/memory/y/memory.limit_in_bytes": file("9223372036854771712\n"), "sys/fs/cgroup/memory/x/memory.limit_in_bytes": file("1\n"),
		}, 32 * gib},
		"a group that leads elsewhere": {fstest.MapFS{
			"proc/meminfo": machine, "proc/self/cgroup": file("0::/../../..\n"), "sys/fs/cgroup/memory.max": file("-1"),
		}, 32 * gib},
	} {
		require.Equal(t, c.want, memory(c.root), name)
	}
}

func TestWhatIsSaidIsOfferedAndTheRestIsWhatThereIs(t *testing.T) {
	all := offer(task.Resources{})
	require.InDelta(t, runtime.GOMAXPROCS(0), all.CPU, 0)
	require.Zero(t, all.GPU)
	if runtime.GOOS == "linux" {
		require.Positive(t, all.Memory)
	}
	said := task.Resources{CPU: 0.5, Memory: 7, GPU: 3}
	require.Equal(t, said, offer(said))
}
