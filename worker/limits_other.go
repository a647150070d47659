//go:build !linux

package worker

import (
	"errors"
	"os"
	"os/exec"
	"time"

	"github.com/deedrun/deed/task"
)

// confine refuses limits: what would not hold had better not be promised.
func confine(_ *exec.Cmd, limits task.Limits, _ bool) error {
	if limits.IsZero() {
		return nil
	}
	return errors.New("the step has limits, which only workers on Linux can set: give it to a pool of those, or leave out limits")
}

func outOfTime(*os.ProcessState, time.Duration) bool { return false }

// allow has nothing to give where there are no limits.
func (p *kept) allow(task.Limits) error { return nil }
