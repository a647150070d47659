package worker

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"log/slog"
	"os"
	"path/filepath"
	"strings"

	"github.com/deedrun/deed/blob"
	"github.com/deedrun/deed/task"
)

// Workspace is the private directory of an execution, and how its program is
// started there. The paths are absolute. A Go handler has no directory when it
// runs; LayOut gives it one with its inputs and the task file.
type Workspace struct {
	Dir      string // of all that follows
	In       string // inputs: $DEED_IN
	TaskFile string // $DEED_TASK_FILE
	Handler  string // the Go handler that executes the task; then the rest is empty

	Out  string   // outputs: $DEED_OUT
	Work string   // files of the definition; the program starts here
	Temp string   // $TMPDIR
	Env  []string // all of the environment, as "NAME=value"
	Path string   // the executable; "" if Missing says why there is none
	Args []string // the command line, Args[0] included

	Missing error // why the program cannot be started on this machine

	// Secrets are the secrets that the step names, by the variable that holds each
	// one, which is not in Env: [LayOut] does not look them up.
	Secrets map[string]string
}

// LayOut prepares a directory in which a person can try task index of w by
// hand: inputs, files of the definition, environment and command line are those
// that an execution on this machine would see. dir is made if it is not there, and
// has to be empty; it is the caller's to remove. Nothing is executed.
func LayOut(ctx context.Context, w task.Work, index int, blobs *blob.Store, dir string) (ws *Workspace, err error) {
	if !w.Tasks.Contains(index) {
		return nil, fmt.Errorf("lay out task %d of %q: the step has no such task: it has %v", index, w.Address, w.Tasks)
	}
	t := &Task{
		ctx: ctx, index: index, ordinal: ordinal(w.Tasks, index),
		setting: &setting{work: &w, each: each(&w), tools: &tools{
			blobs: blobs, lists: &manifests{blobs: blobs}, log: slog.New(slog.DiscardHandler), files: newFileCache(blobs, ""),
		}},
	}
	defer func() { err = errors.Join(err, t.files.close()) }()
	var secrets map[string]string
	t.variables, secrets = unfound(w.Env)
	if err := emptyDirectory(dir); err != nil {
		return nil, fmt.Errorf("lay out %s: %w", t.ID(), err)
	}
	if ws, err = t.layOut(ctx, dir); err != nil {
		return nil, errors.Join(fmt.Errorf("lay out %s: %w", t.ID(), err), removeBelow(dir))
	}
	ws.Secrets = secrets
	return ws, nil
}

// ordinal is which of the tasks an index is, from 0.
func ordinal(tasks task.Ranges, index int) int {
	n := 0
	for _, r := range tasks {
		if index < r.End() {
			return n + index - r.First
		}
		n += r.Count
	}
	return n
}

// layOut fills a directory, which is there and empty, with all that a program needs.
func (t *Task) layOut(ctx context.Context, dir string) (*Workspace, error) {
	ws, err := t.layInputs(ctx, dir)
	if err != nil || ws.Handler != "" {
		return ws, err
	}
	if ws.Env, err = t.environment(ws); err != nil {
		return nil, fmt.Errorf("prepare the environment of the program: %w", err)
	}
	return ws, t.equip(ctx, ws)
}

// layInputs fills it with what the task brings: its inputs and the task file.
func (t *Task) layInputs(ctx context.Context, dir string) (*Workspace, error) {
	if t.work.Run.Handler == "" && t.work.Run.Shell == "" && len(t.work.Run.Command) == 0 {
		return nil, errNothingToRun
	}
	if _, err := t.locate(ctx); err != nil {
		return nil, err
	}
	ws, err := t.makeDirectories(dir)
	if err != nil {
		return nil, fmt.Errorf("make a directory for the program: %w", err)
	}
	if err := t.writeInputs(ctx, ws.In); err != nil {
		return nil, fmt.Errorf("prepare the inputs of the program: %w", err)
	}
	if err := t.writeTaskFile(ws); err != nil {
		return nil, fmt.Errorf("prepare the task file of the program: %w", err)
	}
	return ws, nil
}

// equip puts the files of the definition into the working directory, and finds
// what is to be started there.
func (t *Task) equip(ctx context.Context, ws *Workspace) error {
	for _, f := range t.work.Files {
		if err := t.files.place(ctx, f, ws.Work); err != nil {
			return fmt.Errorf("prepare the files of the program: %w", err)
		}
	}
	return t.command(ws)
}

func (t *Task) makeDirectories(dir string) (*Workspace, error) {
	dir, err := filepath.Abs(dir)
	if err != nil {
		return nil, err
	}
	at := func(name string) string { return filepath.Join(dir, name) }
	ws := &Workspace{Dir: dir, In: at("in"), TaskFile: at("task.json"), Handler: t.work.Run.Handler}
	made := []string{ws.In}
	if ws.Handler == "" {
		ws.Out, ws.Work, ws.Temp = at("out"), at("work"), at("tmp")
		made = append(made, ws.Out, ws.Work, ws.Temp)
	}
	for _, name := range made {
		if err := os.Mkdir(name, 0o700); err != nil {
			return nil, err
		}
	}
	return ws, nil
}

// command finds the executable and its arguments.
func (t *Task) command(ws *Workspace) error {
	if script := t.work.Run.Shell; script != "" {
		file := filepath.Join(ws.Dir, "script.sh")
		if err := os.WriteFile(file, []byte(script), 0o600); err != nil {
			return fmt.Errorf("write the script: %w", err)
		}
		ws.Path, ws.Args = "/bin/sh", []string{"sh", "-eu", file}
		return nil
	}
	ws.Args = t.work.Run.Command
	name := ws.Args[0]
	switch {
	case name == "" || strings.ContainsRune(strings.Join(ws.Args, ""), 0):
		return Permanent(fmt.Errorf("run %q: the command is empty or contains NUL", ws.Args))
	case filepath.IsAbs(name):
		ws.Path = name
	case strings.Contains(name, "/"):
		ws.Path = filepath.Join(ws.Work, name)
	default:
		var err error
		if ws.Path, err = lookPath(name); err != nil {
			ws.Path, ws.Missing = "", t.missing(name)
		}
	}
	return nil
}

func (t *Task) missing(name string) error {
	for _, f := range t.work.Files {
		if f.Name == name {
			return fmt.Errorf("run %q: it is not in the PATH of the worker; to run the file of the definition write \"./%s\"", name, name)
		}
	}
	return fmt.Errorf("run %q: it is not in the PATH of the worker: install it there, or give the step to a pool that has it", name)
}

func emptyDirectory(dir string) error {
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return err
	}
	entries, err := os.ReadDir(dir)
	if err == nil && len(entries) > 0 {
		err = fmt.Errorf("the directory %q is not empty: name another, or empty it", dir)
	}
	return err
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

func removeBelow(dir string) error {
	entries, err := os.ReadDir(dir)
	for _, e := range entries {
		err = errors.Join(err, os.RemoveAll(filepath.Join(dir, e.Name())))
	}
	return err
}
