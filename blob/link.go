package blob

import (
	"context"
	"errors"
	"io/fs"
	"os"
	"strings"
)

// link finishes a blob in a store of files. The backend itself looks whether
// the file exists and then renames, so of two writers at the same moment the
// second would win; a hard link is one step and fails if the name is taken.
// Where the file system has no hard links the backend's way is what there is.
func (w *Writer) link() error {
	temp := w.temp.Name()
	final, ok := finalName(temp)
	if !ok {
		return w.blob.Close()
	}
	err := os.Link(temp, final)
	if errors.Is(err, fs.ErrExist) {
		w.discard()
		return ErrExists
	}
	if err != nil {
		return w.blob.Close()
	}
	// The blob is in place under its name. A cancelled writer removes its
	// temporary file; any other error means that the bytes did not all arrive.
	w.cancel(errAborted)
	if err := w.blob.Close(); !errors.Is(err, context.Canceled) {
		return errors.Join(err, os.Remove(final), os.Remove(temp))
	}
	return nil
}

// finalName is the path that a temporary file "<path>.<hex>.tmp" becomes.
func finalName(temp string) (string, bool) {
	name, ok := strings.CutSuffix(temp, ".tmp")
	i := strings.LastIndexByte(name, '.')
	if !ok || i <= 0 {
		return "", false
	}
	return name[:i], true
}
