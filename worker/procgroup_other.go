//go:build !unix

package worker

import (
	"os"
	"syscall"
)

// Without process groups only the program itself is ended, and at once.
func groupAttributes() *syscall.SysProcAttr { return nil }

func terminateGroup(pid int) { killGroup(pid) }

func killGroup(pid int) {
	if p, err := os.FindProcess(pid); err == nil {
		_ = p.Kill()
	}
}

func sessionAttributes() *syscall.SysProcAttr { return nil }

func awaitExit(int) bool { return false }
