//go:build unix && !linux

package worker

import "syscall"

// groupAttributes puts a program into a process group of its own. Only Linux
// can tie its life to the worker's; elsewhere that is left to the guard.
func groupAttributes() *syscall.SysProcAttr { return &syscall.SysProcAttr{Setpgid: true} }

func terminateGroup(pid int) { _ = syscall.Kill(-pid, syscall.SIGTERM) }
func killGroup(pid int)      { _ = syscall.Kill(-pid, syscall.SIGKILL) }

func sessionAttributes() *syscall.SysProcAttr { return &syscall.SysProcAttr{Setsid: true} }

func awaitExit(int) bool { return false }
