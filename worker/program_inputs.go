package worker

import (
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path"
	"strconv"

	"github.com/deedrun/deed/task"
)

// writeInputs puts what the task reads into files under dir.
func (t *Task) writeInputs(ctx context.Context, dir string) error {
	root, err := os.OpenRoot(dir)
	if err != nil {
		return err
	}
	defer root.Close()
	p := &placer{root: root, next: map[string]int{}}
	for i := range t.work.Inputs {
		in := &t.work.Inputs[i]
		if err := t.writeInput(ctx, p, in); err != nil {
			return fmt.Errorf("input %q: %w", clip(in.Local), err)
		}
	}
	return nil
}

func (t *Task) writeInput(ctx context.Context, p *placer, in *task.Input) error {
	if safeName(in.Local) != in.Local {
		return Permanent(errors.New("its name is no file name: rename it"))
	}
	if in.Mode != task.Element {
		if err := p.root.Mkdir(in.Local, 0o700); err != nil {
			return err
		}
	}
	ordinal := 0
	for part, err := range t.list(in) {
		if err != nil {
			return err
		}
		var file *os.File
		if in.Mode == task.Element {
			file, err = p.open(in.Local)
		} else {
			file, err = p.place(in.Local, part, ordinal)
		}
		if err != nil {
			return err
		}
		if err := t.copyPart(ctx, part, file); err != nil {
			return err
		}
		ordinal++
	}
	return nil
}

// copyPart writes a part into a file and closes it. The part is verified by
// being read to its end.
func (t *Task) copyPart(ctx context.Context, part task.Part, file *os.File) error {
	r, err := t.openPart(ctx, part)
	if err == nil {
		_, err = io.Copy(file, r)
		err = errors.Join(err, r.Close())
	}
	return errors.Join(err, file.Close())
}

// placer finds a file name for each part of a list: its own, under folders for
// its key. If the name is taken, a number tells them apart; since the order of
// a list is fixed, every attempt sees the same names.
type placer struct {
	root *os.Root
	next map[string]int // number to try for a path that was taken
}

func (p *placer) place(dir string, part task.Part, ordinal int) (*os.File, error) {
	for _, folder := range safeFolders(part.Key) {
		var err error
		if dir, err = p.folder(dir, folder); err != nil {
			return nil, err
		}
	}
	name := fmt.Sprintf("%05d", ordinal)
	if part.Name != "" {
		name = safeName(part.Name)
	}
	wanted := path.Join(dir, name)
	file, err := p.open(wanted)
	for errors.Is(err, fs.ErrExist) {
		p.next[wanted] = max(2, p.next[wanted]+1)
		file, err = p.open(path.Join(dir, mark(name, strconv.Itoa(p.next[wanted]))))
	}
	return file, err
}

// folder makes a folder, or finds it. Where a file has the name, the folder
// gets another.
func (p *placer) folder(dir, name string) (string, error) {
	for {
		at := path.Join(dir, name)
		err := p.root.Mkdir(at, 0o700)
		if err == nil {
			return at, nil
		}
		if !errors.Is(err, fs.ErrExist) {
			return "", err
		}
		info, err := p.root.Lstat(at)
		if err != nil {
			return "", err
		}
		if info.IsDir() {
			return at, nil
		}
		name = mark(name, "folder")
	}
}

func (p *placer) open(name string) (*os.File, error) {
	return p.root.OpenFile(name, os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o600)
}
