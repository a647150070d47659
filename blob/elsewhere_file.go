package blob

import (
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"strings"

	"github.com/deedrun/deed/task"
)

func fileAddress(path string) address {
	return address{scheme: fileScheme, path: strings.TrimPrefix(filepath.ToSlash(path), "/")}
}

// file is the path that the address of a file means.
func (a address) file() string { return filepath.FromSlash("/" + a.path) }

// openFileElsewhere opens a file below a folder, and follows no link that leads
// out of it: what may be read was said of the folder, and who puts a link into it
// may be somebody else. A file is only ever read.
func openFileElsewhere(ctx context.Context, ref task.Ref, object, area address) (io.ReadCloser, error) {
	f, err := openBelow(object.file(), strings.TrimSuffix(area.file(), "/"))
	switch {
	case errors.Is(err, fs.ErrNotExist):
		return nil, &ChangedError{URL: ref.URL}
	case err != nil:
		return nil, fmt.Errorf("open %s: %w", withoutQuery(ref.URL), err)
	}
	info, err := f.Stat()
	if err == nil && info.Size() != ref.Size {
		err = otherSize(ref, info.Size())
	}
	if err != nil {
		_ = f.Close()
		return nil, err
	}
	return newPinned(ctx, f, ref), nil
}

func openBelow(file, folder string) (*os.File, error) {
	if file == folder {
		folder = filepath.Dir(file)
	}
	relative, err := filepath.Rel(folder+string(filepath.Separator), file)
	if err != nil {
		return nil, err
	}
	root, err := os.OpenRoot(folder + string(filepath.Separator))
	if err != nil {
		return nil, err
	}
	defer root.Close()
	info, err := root.Stat(relative) // opening a pipe would wait for its other end
	if err != nil {
		return nil, err
	}
	if !info.Mode().IsRegular() {
		return nil, fmt.Errorf("it is a %s, not a regular file", kind(info.Mode()))
	}
	return root.Open(relative)
}
