package worker

import (
	"fmt"
	"os"
	"strings"
	"time"

	"github.com/deedrun/deed/task"
)

// What a program says that came to a limit, in the languages that programs are
// written in: it is told by a system call that fails, and nobody else is.
var (
	outOfMemory = []string{
		"memoryerror", "out of memory", "cannot allocate memory", "bad_alloc", "memory exhausted", "failed to map",
		"memory allocation", "failed to reserve", "could not reserve", "not enough space", "out of space", "enomem",
	}
	outOfFiles = []string{"too many open files", "emfile"}
)

// beyond is how a program ended, with the limit that it came to, if it shows.
func beyond(limits task.Limits, state *os.ProcessState, how, said string) string {
	if limits.IsZero() {
		return how
	}
	said = strings.ToLower(said)
	tells := func(signs []string) bool {
		for _, sign := range signs {
			if strings.Contains(said, sign) {
				return true
			}
		}
		return false
	}
	switch {
	case limits.CPUTime > 0 && outOfTime(state, time.Duration(limits.CPUTime)):
		return fmt.Sprintf("killed by its CPU limit of %s", limits.CPUTime)
	case limits.Memory > 0 && tells(outOfMemory):
		return fmt.Sprintf("%s, out of memory: its limit is %s", how, memoryText(limits.Memory))
	case limits.OpenFiles > 0 && tells(outOfFiles):
		return fmt.Sprintf("%s, out of files: its limit is %d open at a time", how, limits.OpenFiles)
	case limits.Memory > 0 && !state.Exited():
		return fmt.Sprintf("%s, perhaps by its memory limit of %s", how, memoryText(limits.Memory))
	}
	return how
}

func memoryText(bytes int64) string {
	return strings.TrimPrefix(task.Resources{Memory: bytes}.String(), "memory ")
}
