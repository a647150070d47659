package blob

import (
	"context"
	"errors"
	"fmt"
	"net/url"
	"path/filepath"
	"strings"
	"time"

	gcblob "gocloud.dev/blob"
	"gocloud.dev/blob/fileblob"
	"gocloud.dev/blob/memblob"
)

// Store is one place where blobs lie. It is safe for concurrent use, by
// several processes too: they never write the same key, unless it is named
// after its content.
type Store struct {
	bucket   *gcblob.Bucket
	dir      string        // of a store of files
	patience time.Duration // for how long what may pass is tried again; 0: not at all
	driver   Driver        // of a store elsewhere, if it is registered

	elsewhere elsewhere // what is read that is not in the store
}

// Open opens the store at a URL: file:///abs/dir, file://rel/dir (both created
// when missing, readable by the owner only), mem:// (a new, empty store each
// time), or a scheme whose gocloud.dev driver the binary links. Everything
// after file:// is the path: percent signs are written %25, and there are no
// parameters.
//
// What a store elsewhere answers is tried again for half a minute, as long as
// it is trouble that may pass; reading goes on where it stopped.
func Open(ctx context.Context, address string) (*Store, error) {
	bucket, err := openBucket(ctx, address)
	if err != nil {
		return nil, fmt.Errorf("open blob store %q: %w", address, err)
	}
	store := New(bucket)
	switch scheme, rest, _ := strings.Cut(address, "://"); scheme {
	case fileblob.Scheme:
		if store.dir, err = directory(rest); err != nil {
			return nil, fmt.Errorf("open blob store %q: %w", address, err)
		}
	case memblob.Scheme:
	default:
		store.patience = patience
		store.driver, _ = registered(scheme)
	}
	return store, nil
}

// New is a store in a bucket that the caller has opened with options of its
// own. The store takes it over: Close closes it. Nothing is tried again.
func New(bucket *gcblob.Bucket) *Store { return &Store{bucket: bucket} }

func openBucket(ctx context.Context, address string) (*gcblob.Bucket, error) {
	mux := gcblob.DefaultURLMux()
	known := strings.Join(mux.BucketSchemes(), ", ")
	scheme, rest, ok := strings.Cut(address, "://")
	switch {
	case !ok:
		return nil, fmt.Errorf("it has no scheme; write a URL like file:///abs/dir (known schemes: %s)", known)
	case scheme == fileblob.Scheme:
		return openDirectory(rest)
	case scheme == memblob.Scheme:
		if rest != "" {
			return nil, errors.New("a store in memory has no name and no parameters; write mem://")
		}
		return memblob.OpenBucket(&memblob.Options{NoMD5: true}), nil
	}
	if d, ok := registered(scheme); ok {
		u, err := url.Parse(address)
		if err != nil {
			return nil, err
		}
		return d.Open(ctx, u)
	}
	if !mux.ValidBucketScheme(scheme) {
		return nil, fmt.Errorf("unknown scheme %q (known schemes: %s)", scheme, known)
	}
	return mux.OpenBucket(ctx, address)
}

// openDirectory keeps temporary files beside the blobs, so that the rename
// never crosses devices, and writes no sidecar files.
func openDirectory(path string) (*gcblob.Bucket, error) {
	dir, err := directory(path)
	if err != nil {
		return nil, err
	}
	return fileblob.OpenBucket(dir, &fileblob.Options{
		CreateDir:   true,
		DirFileMode: 0o700,
		NoTempDir:   true,
		Metadata:    fileblob.MetadataDontWrite,
	})
}

// directory is what follows file:// as an absolute path.
func directory(path string) (string, error) {
	if path, query, ok := strings.Cut(path, "?"); ok {
		return "", fmt.Errorf("a directory takes no parameters, got %q; write file://%s (a question mark in a path is written %%3F)", query, path)
	}
	dir, err := url.PathUnescape(path)
	if err != nil {
		return "", fmt.Errorf("%w; a percent sign in a path is written %%25", err)
	}
	if dir == "" {
		return "", errors.New("the directory is missing; write file:///abs/dir or file://rel/dir")
	}
	return filepath.Abs(filepath.FromSlash(dir))
}

// Close releases the store. Open readers and writers must be closed before.
func (s *Store) Close() error {
	if err := errors.Join(s.bucket.Close(), s.elsewhere.close()); err != nil {
		return fmt.Errorf("close blob store: %w", err)
	}
	return nil
}
