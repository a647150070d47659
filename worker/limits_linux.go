package worker

import (
	"fmt"
	"os"
	"os/exec"
	"strconv"
	"syscall"
	"time"
	"unsafe"

	"github.com/deedrun/deed/task"
)

// cpuGrace is how many seconds a program has to end by itself that is told of its
// CPU limit, by SIGXCPU.
const cpuGrace = 5

// confineScript lowers the limits of the shell that runs it, which then becomes
// the program: so the program has them from its first instruction on.
const confineScript = `while [ "$1" != -- ]; do ulimit "$1" "$2" || exit 126; shift 2; done; shift; exec "$@"`

// confine makes a command start under limits. One that the worker itself is
// under and that is stricter holds anyway. kept is for a program that is given
// CPU time anew with every task, see allow.
func confine(cmd *exec.Cmd, limits task.Limits, kept bool) error {
	var lower []string
	below := func(what int, value uint64) (bool, error) {
		var now syscall.Rlimit
		if err := syscall.Getrlimit(what, &now); err != nil {
			return false, fmt.Errorf("read the limits of the worker: %w", err)
		}
		return value < now.Max, nil
	}
	cpu := cpuSeconds(limits)
	for _, limit := range []struct {
		what  int
		flag  string
		value int64
		unit  int64 // of ulimit, in that of the value
	}{
		{syscall.RLIMIT_AS, "-v", limits.Memory, 1 << 10},
		{syscall.RLIMIT_NOFILE, "-n", int64(limits.OpenFiles), 1},
		{syscall.RLIMIT_CPU, "-St", cpu, 1},
		{syscall.RLIMIT_CPU, "-Ht", hardSeconds(cpu, kept), 1},
	} {
		if limit.value == 0 {
			continue
		}
		lowers, err := below(limit.what, uint64(limit.value))
		if err != nil {
			return err
		}
		if lowers {
			lower = append(lower, limit.flag, strconv.FormatInt((limit.value+limit.unit-1)/limit.unit, 10))
		}
	}
	if len(lower) == 0 {
		return nil
	}
	if _, err := os.Stat(cmd.Path); err != nil {
		return err // said as it is without limits
	}
	args := append([]string{"sh", "-c", confineScript, "sh"}, lower...)
	args = append(append(args, "--", cmd.Path), cmd.Args[1:]...)
	cmd.Path, cmd.Args = "/bin/sh", args
	return nil
}

func cpuSeconds(limits task.Limits) int64 {
	return int64((time.Duration(limits.CPUTime) + time.Second - 1) / time.Second)
}

func hardSeconds(cpu int64, kept bool) int64 {
	if cpu == 0 || kept {
		return 0
	}
	return cpu + cpuGrace
}

// outOfTime reports whether a program ended because it had used up its CPU time:
// itself, or a program of a shell that told so by its exit code.
func outOfTime(state *os.ProcessState, limit time.Duration) bool {
	status, ok := state.Sys().(syscall.WaitStatus)
	if !ok {
		return false
	}
	switch {
	case status.Signaled() && status.Signal() == syscall.SIGXCPU, status.ExitStatus() == 128+int(syscall.SIGXCPU):
		return true
	case status.Signaled() && status.Signal() == syscall.SIGKILL, status.ExitStatus() == 128+int(syscall.SIGKILL):
		return state.UserTime()+state.SystemTime() >= limit
	}
	return false
}

// allow gives a program that is kept alive its CPU time for one more task.
func (p *kept) allow(limits task.Limits) error {
	if limits.CPUTime == 0 || p.tasks == 1 { // for its first task it has it since it was started
		return nil
	}
	var err error
	p.signal(func(pid int) {
		var used time.Duration
		if used, err = cpuTime(pid); err == nil {
			err = setSoftCPU(pid, used+time.Duration(limits.CPUTime))
		}
	})
	if err != nil {
		return fmt.Errorf("give the program its CPU time: %w", err)
	}
	return nil
}

// cpuTime is what a program has used by now, its threads included, by the clock
// that the kernel holds against the limit: the one that /proc tells is another.
func cpuTime(pid int) (time.Duration, error) {
	var used syscall.Timespec
	clock := ^pid << 3 // CPUCLOCK_PROF of the process
	if _, _, errno := syscall.RawSyscall(syscall.SYS_CLOCK_GETTIME, uintptr(clock), uintptr(unsafe.Pointer(&used)), 0); errno != 0 {
		return 0, errno
	}
	return time.Duration(used.Nano()), nil
}

func setSoftCPU(pid int, limit time.Duration) error {
	var now syscall.Rlimit
	if err := prlimit(pid, syscall.RLIMIT_CPU, nil, &now); err != nil {
		return err
	}
	now.Cur = min(uint64((limit+time.Second-1)/time.Second), now.Max)
	return prlimit(pid, syscall.RLIMIT_CPU, &now, nil)
}

func prlimit(pid, what int, to, from *syscall.Rlimit) error {
	_, _, errno := syscall.RawSyscall6(syscall.SYS_PRLIMIT64, uintptr(pid), uintptr(what),
		uintptr(unsafe.Pointer(to)), uintptr(unsafe.Pointer(from)), 0, 0)
	if errno != 0 {
		return errno
	}
	return nil
}
