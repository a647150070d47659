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
	case err != nil && isLink(object.file()):
		return nil, &ChangedError{URL: ref.URL, Want: "it was a file", Got: "a link that leads elsewhere"}
	case errors.Is(err, errNoFile):
		return nil, &ChangedError{URL: ref.URL, Want: "it was a file", Got: "none"}
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
		return nil, errNoFile
	}
	return root.Open(relative)
}

var errNoFile = errors.New("it is no regular file")

// isLink reports whether a path, which was real when it was referred to, is not
// any more.
func isLink(file string) bool {
	target, err := filepath.EvalSymlinks(file)
	return err == nil && target != file
}
