package blob

import (
	"context"
	"fmt"
	"io"
	"path"
)

// Folder is a folder of a bucket that is no store: what it holds has the names that
// people gave, and may be replaced.
type Folder struct {
	at    address
	store *Store
}

// OpenFolder opens the folder at a URL, such as s3://bucket/results/. Whether it can
// be written to shows when something is.
func OpenFolder(ctx context.Context, url string) (*Folder, error) {
	a, err := parsePlace(url)
	if err == nil && a.scheme == fileScheme {
		err = fmt.Errorf("the URL %q: write a directory as a path, %s", clip(url), a.file())
	}
	if err != nil {
		return nil, err
	}
	store, err := Open(ctx, a.bucketURL())
	if err != nil {
		return nil, err
	}
	return &Folder{at: a, store: store}, nil
}

// URL is that of an object in the folder.
func (f *Folder) URL(name string) string {
	at := f.at
	at.path = path.Join(at.path, name)
	return at.String()
}

// Put writes an object, in place of one that has the name: whoever reads it
// meanwhile gets the one or the other, and after an error the one that was there.
func (f *Folder) Put(ctx context.Context, name string, from io.Reader) error {
	w, err := f.store.create(ctx, path.Join(f.at.path, name), true)
	if err != nil {
		return err
	}
	defer w.Abort()
	if _, err := io.Copy(w, from); err != nil {
		return err
	}
	return w.Close()
}

// Close releases the folder.
func (f *Folder) Close() error { return f.store.Close() }
