package worker

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"

	"github.com/deedrun/deed/task"
)

// directories is the private directory of one execution.
type directories struct {
	root, in, out, work, temp string
	taskFile                  string
}

// runProgram executes the command or script of a step.
func runProgram(ctx context.Context, t *Task) (err error) {
	dirs, err := makeDirectories(t.tools.temp)
	if err != nil {
		return err
	}
	defer func() {
		if cleanErr := removeAll(dirs.root); cleanErr != nil {
			t.tools.log.Warn("worker: removing the directory of a program failed", "task", t.ID(), "error", cleanErr)
		}
	}()
	if err := t.writeInputs(ctx, dirs.in); err != nil {
		return fmt.Errorf("prepare the inputs of the program: %w", err)
	}
	for _, f := range t.work.Files {
		if err := t.tools.files.place(ctx, f, dirs.work); err != nil {
			return fmt.Errorf("prepare the files of the program: %w", err)
		}
	}
	if err := t.writeTaskFile(dirs); err != nil {
		return fmt.Errorf("prepare the task file of the program: %w", err)
	}
	env, err := t.environment(dirs)
	if err != nil {
		return fmt.Errorf("prepare the environment of the program: %w", err)
	}
	p, err := newProgram(t, dirs, env)
	if err != nil {
		return err
	}
	if err := p.run(ctx); err != nil {
		return err
	}
	return t.collectOutputs(dirs.out)
}

func makeDirectories(temp string) (*directories, error) {
	root, err := os.MkdirTemp(temp, "deed-task-")
	if err != nil {
		return nil, fmt.Errorf("make a directory for the program: %w", err)
	}
	if root, err = filepath.Abs(root); err != nil {
		return nil, fmt.Errorf("make a directory for the program: %w", err)
	}
	at := func(name string) string { return filepath.Join(root, name) }
	d := &directories{root: root, in: at("in"), out: at("out"), work: at("work"), temp: at("tmp"), taskFile: at("task.json")}
	for _, dir := range []string{d.in, d.out, d.work, d.temp} {
		if err := os.Mkdir(dir, 0o700); err != nil {
			return nil, errors.Join(fmt.Errorf("make a directory for the program: %w", err), os.RemoveAll(root))
		}
	}
	return d, nil
}

// removeAll also removes directories that the program closed to itself.
func removeAll(root string) error {
	if os.RemoveAll(root) == nil {
		return nil
	}
	_ = filepath.WalkDir(root, func(path string, d fs.DirEntry, err error) error {
		if d != nil && d.IsDir() {
			_ = os.Chmod(path, 0o700) // WalkDir calls this before it reads the directory
		}
		return nil
	})
	return os.RemoveAll(root)
}

// command is the arguments of the program and the path of its executable.
func (t *Task) command(dirs *directories) (path string, args []string, err error) {
	if script := t.work.Run.Shell; script != "" {
		file := filepath.Join(dirs.root, "script.sh")
		if err := os.WriteFile(file, []byte(script), 0o600); err != nil {
			return "", nil, fmt.Errorf("write the script: %w", err)
		}
		return "/bin/sh", []string{"sh", "-eu", file}, nil
	}
	args = t.work.Run.Command
	name := args[0]
	switch {
	case name == "" || strings.ContainsRune(strings.Join(args, ""), 0):
		return "", nil, Permanent(fmt.Errorf("run %q: the command is empty or contains NUL", args))
	case filepath.IsAbs(name):
		return name, args, nil
	case strings.Contains(name, "/"):
		return filepath.Join(dirs.work, name), args, nil
	}
	path, err = lookPath(name)
	if err == nil {
		return path, args, nil
	}
	for _, f := range t.work.Files {
		if f.Name == name {
			return "", nil, fmt.Errorf("run %q: it is not in the PATH of the worker; to run the file of the definition write \"./%s\"", name, name)
		}
	}
	return "", nil, fmt.Errorf("run %q: it is not in the PATH of the worker: install it there, or give the step to a pool that has it", name)
}

// modes are what a program can be told about its inputs.
var modes = map[task.Mode]string{task.Element: "file", task.Group: "directory", task.Whole: "directory"}
