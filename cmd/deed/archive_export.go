package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"

	"github.com/deedrun/deed"
)

// exportFile is where --to puts the copy of an archive: it appears whole or not
// at all. nil: nothing is copied.
type exportFile struct {
	path string
	temp *os.File
}

// file is the file of --to, opened before anything is archived.
func (o archiveOptions) file() (*exportFile, error) {
	if o.to == "" {
		return nil, nil
	}
	if info, err := os.Stat(o.to); err == nil && !info.Mode().IsRegular() {
		return nil, usagef("--to %s: it is there, and no file", o.to)
	}
	temp, err := os.CreateTemp(filepath.Dir(o.to), ".deed-*")
	if err != nil {
		return nil, &usageError{fmt.Errorf("--to %s: %w", o.to, err)}
	}
	return &exportFile{path: o.to, temp: temp}, nil
}

// export copies the file of an archived process.
func (f *exportFile) export(ctx context.Context, r *deed.Runtime, id string) error {
	if f == nil {
		return nil
	}
	archived, _, err := r.Archive.Closed(ctx, id)
	if err != nil || archived == nil {
		return err
	}
	if _, err := f.temp.Seek(0, io.SeekStart); err != nil {
		return err
	}
	exported := errors.Join(f.temp.Truncate(0), r.Archive.Export(ctx, *archived, f.temp))
	if err := errors.Join(exported, f.temp.Chmod(0o644)); err != nil {
		return err
	}
	return errors.Join(f.temp.Close(), os.Rename(f.temp.Name(), f.path))
}

// discard removes what is left of it.
func (f *exportFile) discard() {
	if f == nil {
		return
	}
	_ = f.temp.Close()
	_ = os.Remove(f.temp.Name())
}
