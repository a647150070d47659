package deed

import (
	"context"
	"crypto/rand"
	"io"
	"os"
	"path"
	"path/filepath"

	"github.com/deedrun/deed/blob"
)

// destination is where outputs are written to, by paths with slashes.
type destination interface {
	put(ctx context.Context, at string, in io.Reader) error // whole, or not at all
	path(at string) string                                  // for people
	close()
}

func openDestination(ctx context.Context, where string) (destination, error) {
	if blob.IsURL(where) {
		folder, err := blob.OpenFolder(ctx, where)
		return bucketFolder{folder}, err
	}
	if err := os.MkdirAll(where, 0o777); err != nil {
		return nil, err
	}
	root, err := os.OpenRoot(where) // nothing leaves it, whatever keys and names say
	return directory{root}, err
}

type bucketFolder struct{ *blob.Folder }

func (b bucketFolder) put(ctx context.Context, at string, in io.Reader) error {
	return b.Put(ctx, at, in)
}
func (b bucketFolder) path(at string) string { return b.URL(at) }
func (b bucketFolder) close()                { _ = b.Close() }

type directory struct{ root *os.Root }

func (d directory) put(_ context.Context, at string, in io.Reader) (err error) {
	if dir := path.Dir(at); dir != "." {
		if err := d.root.MkdirAll(dir, 0o777); err != nil {
			return err
		}
	}
	next := ".deed-" + rand.Text() // no output is named so, and another run may write the same ones
	out, err := d.root.Create(next)
	if err != nil {
		return err
	}
	defer func() {
		if err != nil {
			_ = d.root.Remove(next)
		}
	}()
	if _, err := io.Copy(out, in); err != nil {
		_ = out.Close()
		return err
	}
	if err := out.Close(); err != nil {
		return err
	}
	return d.root.Rename(next, at)
}

func (d directory) path(at string) string {
	return filepath.Join(d.root.Name(), filepath.FromSlash(at))
}
func (d directory) close() { _ = d.root.Close() }
