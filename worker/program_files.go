package worker

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"syscall"

	"github.com/deedrun/deed/blob"
	"github.com/deedrun/deed/task"
)

// cachedFiles bounds the files of definitions that a worker keeps, in bytes.
const cachedFiles = 256 << 20

// fileCache keeps the files of definitions, by their digest, in a directory
// that goes when the worker does. One file is fetched at a time.
type fileCache struct {
	blobs *blob.Store
	temp  string
	turn  chan struct{} // holds a token while somebody uses what follows
	dir   string
	kept  []task.Ref // the one used last at the end
	bytes int64
}

func newFileCache(blobs *blob.Store, temp string) *fileCache {
	return &fileCache{blobs: blobs, temp: temp, turn: make(chan struct{}, 1)}
}

// place copies a file into the working directory of a program, executable if
// it is a script or a binary.
func (c *fileCache) place(ctx context.Context, f task.File, dir string) error {
	switch { // no system has a longer path; to try takes time for each folder in it
	case len(f.Name) > pathBytes:
		return Permanent(fmt.Errorf("file %q: its name has %d bytes, at most %d are allowed", clip(f.Name), len(f.Name), pathBytes))
	case !filepath.IsLocal(filepath.FromSlash(f.Name)) || strings.ContainsRune(f.Name, 0):
		return Permanent(fmt.Errorf("file %q: its name leads out of the working directory", clip(f.Name)))
	}
	from, err := c.open(ctx, f.Ref)
	if err != nil {
		return fmt.Errorf("file %q: %w", clip(f.Name), err)
	}
	defer from.Close()
	if err := copyFile(from, filepath.Join(dir, filepath.FromSlash(f.Name))); err != nil {
		return fmt.Errorf("file %q: %w", clip(f.Name), err)
	}
	return nil
}

func copyFile(from *os.File, path string) error {
	if err := os.MkdirAll(filepath.Dir(path), 0o700); err != nil {
		return err
	}
	magic := make([]byte, 4)
	n, err := from.ReadAt(magic, 0)
	if err != nil && err != io.EOF {
		return err
	}
	mode := os.FileMode(0o600)
	if bytes.HasPrefix(magic[:n], []byte("#!")) || string(magic[:n]) == "\x7fELF" {
		mode = 0o700
	}
	if mode&0o100 != 0 {
		// A program forked meanwhile would inherit the open file for a moment,
		// and the kernel executes no file that somebody may write.
		syscall.ForkLock.RLock()
		defer syscall.ForkLock.RUnlock()
	}
	to, err := os.OpenFile(path, os.O_WRONLY|os.O_CREATE|os.O_EXCL, mode)
	if err != nil {
		return err
	}
	_, err = io.Copy(to, from)
	return errors.Join(err, to.Close())
}

// open opens the cached copy, which is fetched if need be. An open file
// outlives its removal from the cache.
func (c *fileCache) open(ctx context.Context, ref task.Ref) (*os.File, error) {
	select {
	case c.turn <- struct{}{}:
		defer func() { <-c.turn }()
	case <-ctx.Done():
		return nil, ctx.Err()
	}
	same := func(r task.Ref) bool { return r.SHA256 == ref.SHA256 && r.Size == ref.Size }
	if i := slices.IndexFunc(c.kept, same); i >= 0 {
		c.kept = append(slices.Delete(c.kept, i, i+1), ref)
		return os.Open(filepath.Join(c.dir, ref.SHA256))
	}
	if err := c.fetch(ctx, ref); err != nil {
		return nil, err
	}
	c.kept = append(c.kept, ref)
	c.bytes += ref.Size
	for c.bytes > cachedFiles && len(c.kept) > 1 {
		if err := os.Remove(filepath.Join(c.dir, c.kept[0].SHA256)); err != nil {
			return nil, err
		}
		c.bytes -= c.kept[0].Size
		c.kept = slices.Delete(c.kept, 0, 1)
	}
	return os.Open(filepath.Join(c.dir, ref.SHA256))
}

// fetch stores a verified copy under its digest.
func (c *fileCache) fetch(ctx context.Context, ref task.Ref) (err error) {
	if c.dir == "" {
		if c.dir, err = os.MkdirTemp(c.temp, "deed-files-"); err != nil {
			return err
		}
	}
	r, err := c.blobs.Open(ctx, ref) // refuses a digest that is none, so it is a file name
	if err != nil {
		return err
	}
	defer r.Close()
	to, err := os.CreateTemp(c.dir, "new-")
	if err != nil {
		return err
	}
	_, err = io.Copy(to, r)
	if err = errors.Join(err, to.Close()); err == nil {
		err = os.Rename(to.Name(), filepath.Join(c.dir, ref.SHA256))
	}
	if err != nil {
		return errors.Join(err, os.Remove(to.Name()))
	}
	return nil
}

func (c *fileCache) close() error {
	if c.dir == "" {
		return nil
	}
	return os.RemoveAll(c.dir)
}
