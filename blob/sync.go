package blob

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path"
	"path/filepath"
)

// Sync makes sure that a blob which was written survives a power cut, and the
// folders that lead to it. It is for the few that nothing could make again;
// others are found missing or torn when they are read. Only a store of files
// has to be asked: elsewhere a blob that is there is kept.
func (s *Store) Sync(ctx context.Context, key string) error {
	if err := errors.Join(CheckKey(key), ctx.Err()); err != nil {
		return fmt.Errorf("sync blob %q: %w", clip(key), err)
	}
	if s.dir == "" {
		return nil
	}
	err := syncOpened(os.OpenFile(filepath.Join(s.dir, filepath.FromSlash(key)), os.O_RDWR, 0))
	for folder := path.Dir(key); err == nil; folder = path.Dir(folder) {
		err = syncFolder(filepath.Join(s.dir, filepath.FromSlash(folder)))
		if folder == "." {
			break
		}
	}
	if errors.Is(err, fs.ErrNotExist) {
		err = fmt.Errorf("%w (%w)", ErrNotFound, err)
	}
	if err != nil {
		return fmt.Errorf("sync blob %q: %w", key, err)
	}
	return nil
}

func syncOpened(f *os.File, err error) error {
	if err != nil {
		return err
	}
	return errors.Join(f.Sync(), f.Close())
}
