package wordcount

import (
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"hash"
	"os"
	"path/filepath"

	"github.com/deedrun/deed/task"
)

// file is a new file and the digest of what was written to it.
type file struct {
	*os.File
	part task.Part // without its Ref
	hash hash.Hash
	size int64
	done *task.Part // where to put the part when it is whole
}

func (p *plain) create(path string, part task.Part, done *task.Part) (*file, error) {
	full := filepath.Join(p.out, path)
	if err := os.MkdirAll(filepath.Dir(full), 0o700); err != nil {
		return nil, err
	}
	f, err := os.OpenFile(full, os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o600)
	if err != nil {
		return nil, err
	}
	part.Ref = &task.Ref{Key: path}
	return &file{File: f, part: part, hash: sha256.New(), done: done}, nil
}

func (f *file) Write(p []byte) (int, error) {
	n, err := f.File.Write(p)
	f.hash.Write(p[:n])
	f.size += int64(n)
	return n, err
}

// opened is a file that is read, and the digest of what was.
type opened struct {
	*os.File
	hash  hash.Hash
	size  int64
	wants *task.Ref // what it has to be; nil: that is not known
}

func openFile(path string) (*opened, error) {
	f, err := os.Open(path)
	if err != nil {
		return nil, err
	}
	return &opened{File: f, hash: sha256.New()}, nil
}

func (o *opened) Read(p []byte) (int, error) {
	n, err := o.File.Read(p)
	o.hash.Write(p[:n])
	o.size += int64(n)
	return n, err
}

func (o *opened) ref() *task.Ref {
	return &task.Ref{Key: o.Name(), Size: o.size, SHA256: hex.EncodeToString(o.hash.Sum(nil))}
}

// Close fails if it was not what was written.
func (o *opened) Close() error {
	if o.wants != nil && o.ref().SHA256 != o.wants.SHA256 {
		return errors.Join(fmt.Errorf("%s is not what was written", o.Name()), o.File.Close())
	}
	return o.File.Close()
}

// Close finishes the part.
func (f *file) Close() error {
	if err := f.File.Close(); err != nil {
		return err
	}
	f.part.Ref.Size, f.part.Ref.SHA256 = f.size, hex.EncodeToString(f.hash.Sum(nil))
	*f.done = f.part
	return nil
}
