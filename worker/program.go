package worker

import (
	"context"
	"fmt"
	"os"

	"github.com/deedrun/deed/task"
)

// modes are what a program can be told about its inputs.
var modes = map[task.Mode]string{task.Element: "file", task.Group: "directory", task.Whole: "directory"}

// runProgram executes the command or script of a step in a directory of its own.
func runProgram(ctx context.Context, t *Task) error {
	dir, err := os.MkdirTemp(t.temp, "deed-task-")
	if err != nil {
		return fmt.Errorf("make a directory for the program: %w", err)
	}
	defer func() {
		if cleanErr := removeAll(dir); cleanErr != nil {
			t.log.Warn("worker: removing the directory of a program failed", t.inLog("error", cleanErr)...)
		}
	}()
	if t.work.Run.Keep {
		return t.runKept(ctx, dir)
	}
	ws, err := t.layOut(ctx, dir)
	if err != nil {
		return err
	}
	if ws.Missing != nil {
		return ws.Missing
	}
	if err := t.runOnce(ctx, ws); err != nil {
		return err
	}
	return t.collectOutputs(ws.Out)
}
