package blob

import (
	"bufio"
	"errors"
	"io"
	"io/fs"
	"os"
	"path/filepath"
)

// A blob of a store of files is written to a file that has no name, and gets its
// name when it is complete, if that is not taken: one change of a folder instead of
// three, which is most of what a small blob costs. Whoever is killed in between
// leaves nothing. Where the system or the file system cannot do that, the file has
// another name at first: see link.

// beginNameless opens a file without a name; false: the backend is to write.
func (w *Writer) beginNameless() bool {
	if w.replace || w.store.dir == "" || !namesItsFile(w.key) {
		return false
	}
	folder := filepath.Dir(filepath.Join(w.store.dir, w.key))
	f, err := openNameless(folder)
	if errors.Is(err, fs.ErrNotExist) && os.MkdirAll(folder, folderMode) == nil {
		f, err = openNameless(folder)
	}
	if err != nil {
		return false
	}
	w.nameless, w.buf = f, bufio.NewWriterSize(f, 8<<10)
	return true
}

// folderMode and fileMode are those of the backend: what lies in a folder of a
// store is its owner's alone.
const (
	folderMode = 0o700
	fileMode   = 0o666 // less what the umask takes
)

// nameIt makes the blob one that is there.
func (w *Writer) nameIt() error {
	path := filepath.Join(w.store.dir, w.key)
	err := name(w.nameless, path)
	if errors.Is(err, fs.ErrNotExist) { // a sweep took the folder, which was empty
		if err = os.MkdirAll(filepath.Dir(path), folderMode); err == nil {
			err = name(w.nameless, path)
		}
	}
	switch {
	case errors.Is(err, fs.ErrExist):
		err = ErrExists
	case err != nil: // no /proc, or no hard links
		if _, err = w.nameless.Seek(0, io.SeekStart); err == nil {
			err = w.store.bucket.Upload(w.ctx, w.key, w.nameless, w.options())
		}
	}
	if closed := w.nameless.Close(); err == nil && closed != nil { // the bytes did not all arrive
		err = errors.Join(closed, os.Remove(path))
	}
	return err
}
