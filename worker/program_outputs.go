package worker

import (
	"fmt"
	"io"
	"io/fs"
	"os"
	"path"

	"github.com/deedrun/deed/task"
)

// collectOutputs makes parts of what the program left under dir. What is
// missing or was not declared is an error: silence would look like success.
func (t *Task) collectOutputs(dir string) error {
	root, err := os.OpenRoot(dir)
	if err != nil {
		return fmt.Errorf("collect outputs: %w", err)
	}
	defer root.Close()
	entries, err := fs.ReadDir(root.FS(), ".")
	if err != nil {
		return fmt.Errorf("collect outputs: %w", err)
	}
	left := map[string]fs.DirEntry{}
	for _, e := range entries {
		left[e.Name()] = e
	}
	if err := t.checkOutputs(entries); err != nil {
		return fmt.Errorf("collect outputs: %w", err)
	}
	for _, out := range t.work.Outputs {
		e, found := left[out.Local]
		if !found {
			return fmt.Errorf("collect outputs: the program did not write %q: write the file $DEED_OUT/%s, or a directory of that name with a file a part; an empty directory means no parts", out.Local, out.Local)
		}
		if err := t.collect(root, out, e); err != nil {
			return fmt.Errorf("collect output %q: %w", out.Local, err)
		}
	}
	return nil
}

// checkOutputs refuses names that the step does not declare.
func (t *Task) checkOutputs(entries []fs.DirEntry) error {
	declared := map[string]bool{}
	var names []string
	for _, out := range t.work.Outputs {
		declared[out.Local] = true
		names = append(names, out.Local)
	}
	for _, e := range entries {
		if !declared[e.Name()] {
			return fmt.Errorf("$DEED_OUT/%w", unknownName(e.Name(), "the step writes", names))
		}
	}
	return nil
}

// collect makes one part of a file, and one a file of a directory, in the
// order of their paths. A folder inside is the key of its files.
func (t *Task) collect(root *os.Root, out task.Output, e fs.DirEntry) error {
	if !e.IsDir() {
		return t.collectFile(root, out.Local, e, func() (*Output, error) { return t.Create(out.Local) })
	}
	return fs.WalkDir(root.FS(), out.Local, func(file string, e fs.DirEntry, err error) error {
		if err != nil || e.IsDir() {
			return err
		}
		return t.collectFile(root, file, e, func() (*Output, error) {
			key := t.Key()
			if folder := path.Dir(file); folder != out.Local {
				key = folder[len(out.Local)+1:]
			}
			return t.CreateNamed(out.Local, key, path.Base(file))
		})
	})
}

func (t *Task) collectFile(root *os.Root, file string, e fs.DirEntry, create func() (*Output, error)) error {
	if !e.Type().IsRegular() {
		return fmt.Errorf("%q is a %s: only files and directories are collected", file, kind(e.Type()))
	}
	r, err := root.Open(file)
	if err != nil {
		return err
	}
	defer r.Close()
	o, err := create()
	if err != nil {
		return err
	}
	if _, err := io.Copy(o, r); err != nil {
		_ = o.Close() // fails with the same error, or discards
		return err
	}
	return o.Close()
}

func kind(m fs.FileMode) string {
	switch {
	case m&fs.ModeSymlink != 0:
		return "symbolic link"
	case m&fs.ModeNamedPipe != 0:
		return "named pipe"
	case m&fs.ModeSocket != 0:
		return "socket"
	}
	return "device"
}
