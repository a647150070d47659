package blob

import (
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"iter"
	"os"
	"path"
	"path/filepath"
	"strings"
	"time"
)

// Object is what a store says of a blob without reading it.
type Object struct {
	Key     string
	Size    int64
	ModTime time.Time
}

// Objects yields all that lies in the store, in no particular order, but what
// begins with the same segment together. It holds a page of it in memory,
// however much there is; what comes and goes meanwhile may be yielded or not.
// Of a directory it yields unfinished files too. An error is the last thing it
// yields.
func (s *Store) Objects(ctx context.Context) iter.Seq2[Object, error] {
	return func(yield func(Object, error) bool) {
		if s.dir != "" { // the backend would walk the whole directory once for each page
			if err := walk(ctx, s.dir, "", yield); err != nil && !errors.Is(err, errEnough) {
				yield(Object{}, fmt.Errorf("list blobs: %w", err))
			}
			return
		}
		for o, err := range s.list(ctx, "", "") {
			if err != nil {
				yield(Object{}, fmt.Errorf("list blobs: %w", err))
				return
			}
			if !yield(Object{Key: o.Key, Size: o.Size, ModTime: o.ModTime}, nil) {
				return
			}
		}
	}
}

// walkPage is how many entries of a folder are read at a time: one that holds
// a million is never in memory whole.
const walkPage = 1024

var errEnough = errors.New("the caller has enough")

func walk(ctx context.Context, root, key string, yield func(Object, error) bool) error {
	dir, err := os.Open(filepath.Join(root, filepath.FromSlash(key)))
	if errors.Is(err, fs.ErrNotExist) {
		return nil // removed meanwhile
	}
	if err != nil {
		return err
	}
	defer dir.Close()
	for ctx.Err() == nil {
		page, err := dir.ReadDir(walkPage)
		for _, entry := range page {
			if err := visit(ctx, root, path.Join(key, entry.Name()), entry, yield); err != nil {
				return err
			}
		}
		switch {
		case errors.Is(err, io.EOF), errors.Is(err, fs.ErrNotExist): // removed meanwhile
			return nil
		case err != nil:
			return err
		}
	}
	return ctx.Err()
}

func visit(ctx context.Context, root, key string, entry fs.DirEntry, yield func(Object, error) bool) error {
	if entry.IsDir() {
		return walk(ctx, root, key, yield)
	}
	info, err := entry.Info()
	if errors.Is(err, fs.ErrNotExist) {
		return nil // removed meanwhile
	}
	if err != nil {
		return err
	}
	if !yield(Object{Key: key, Size: info.Size(), ModTime: info.ModTime()}, nil) {
		return errEnough
	}
	return nil
}

// dropFolders removes the folders that a blob leaves empty in a directory: that
// of its execution, which nobody else writes to, and with `all` those above it,
// which is only for a process that will write nothing more.
func (s *Store) dropFolders(key string, all bool) {
	if s.dir == "" {
		return
	}
	for folder := path.Dir(key); folder != "." && (all || isExecution(path.Base(folder))); folder = path.Dir(folder) {
		if !strings.Contains(folder, "/") && folder == "logs" || os.Remove(filepath.Join(s.dir, filepath.FromSlash(folder))) != nil {
			return // it is not empty, or another sweep was faster
		}
	}
}
