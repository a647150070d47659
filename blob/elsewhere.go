package blob

import (
	"context"
	"errors"
	"fmt"
	"io"
	"path/filepath"
	"slices"
	"strings"
	"sync"

	"github.com/deedrun/deed/task"
	gcblob "gocloud.dev/blob"
	"gocloud.dev/blob/fileblob"
	"gocloud.dev/blob/memblob"
)

// A part may refer to an object where it lies, in a bucket or on a disk, which is
// then read there instead of being imported. The reader has the credentials, the
// reference says what to read: so a store reads nothing elsewhere but below the
// addresses that it was given.

const fileScheme = fileblob.Scheme

// elsewhere is what a store reads outside of itself. The zero value reads nothing.
type elsewhere struct {
	mu      sync.Mutex
	allowed []address
	also    func() ([]string, error)
	stores  map[string]*Store // that objects are read from, by the URL of the bucket
}

// AllowReading lets parts be read that lie elsewhere: below these URLs, which name
// a folder of a bucket, or of files, or one object.
func (s *Store) AllowReading(urls ...string) error {
	var added []address
	for _, text := range urls {
		a, err := parsePlace(text)
		if err != nil {
			return fmt.Errorf("allow to read elsewhere: %w", err)
		}
		added = append(added, a)
		if target, err := filepath.EvalSymlinks(a.file()); a.scheme == fileScheme && err == nil {
			added = append(added, fileAddress(target)) // references name files by their real paths
		}
	}
	e := &s.elsewhere
	e.mu.Lock()
	defer e.mu.Unlock()
	for _, a := range added {
		if !slices.Contains(e.allowed, a) {
			e.allowed = append(e.allowed, a)
		}
	}
	return nil
}

// CheckPlace says why a URL is none that AllowReading takes.
func CheckPlace(url string) error {
	_, err := parsePlace(url)
	return err
}

func parsePlace(text string) (address, error) {
	a, err := parseAddress(text)
	if err == nil {
		err = checkScheme(a.scheme)
	}
	return a, err
}

// AskReading sets whom to ask for further URLs, when what is allowed so far does
// not cover what is to be read. They stay allowed.
func (s *Store) AskReading(also func() ([]string, error)) {
	s.elsewhere.mu.Lock()
	defer s.elsewhere.mu.Unlock()
	s.elsewhere.also = also
}

// MayRead is nil if a reference is to the store, or to where it may read; else a
// *[DeniedError], or what is wrong with the reference.
func (s *Store) MayRead(ref task.Ref) error {
	if !ref.Elsewhere() {
		return nil
	}
	_, _, err := s.allowed(ref)
	return err
}

// allowed is the address of a reference, and what covers it.
func (s *Store) allowed(ref task.Ref) (object, area address, err error) {
	err = checkElsewhere(ref)
	if err == nil {
		object, err = parseRef(ref.URL)
	}
	if err == nil {
		err = checkScheme(object.scheme)
	}
	if err != nil {
		return object, area, &malformedError{err}
	}
	area, ok := s.elsewhere.covering(object)
	if ok {
		return object, area, nil
	}
	s.elsewhere.mu.Lock()
	also := s.elsewhere.also
	s.elsewhere.mu.Unlock()
	if also != nil {
		urls, err := also()
		if err == nil {
			err = s.AllowReading(urls...)
		}
		if err != nil {
			return object, area, fmt.Errorf("read %s: where reading is allowed is not known: %w", withoutQuery(ref.URL), err)
		}
		if area, ok = s.elsewhere.covering(object); ok {
			return object, area, nil
		}
	}
	return object, area, &DeniedError{URL: ref.URL, Ask: object.folder().String()}
}

func (e *elsewhere) covering(object address) (address, bool) {
	e.mu.Lock()
	defer e.mu.Unlock()
	i := slices.IndexFunc(e.allowed, func(a address) bool { return a.covers(object) })
	if i < 0 {
		return address{}, false
	}
	return e.allowed[i], true
}

// checkElsewhere guards against references that came over the wire.
func checkElsewhere(ref task.Ref) error {
	if err := ref.Check(); err != nil {
		return err
	}
	if ref.SHA256 != "" {
		return checkSHA256(clip(ref.URL), ref.SHA256)
	}
	if strings.HasPrefix(ref.URL, fileScheme+"://") {
		return fmt.Errorf("reference to %q: a file is pinned by its SHA-256", clip(ref.URL))
	}
	return nil
}

// openElsewhere streams an object where it lies. Bytes other than those that were
// referred to are a *[ChangedError], at the end at the latest.
func (s *Store) openElsewhere(ctx context.Context, ref task.Ref) (io.ReadCloser, error) {
	object, area, err := s.allowed(ref)
	if err != nil {
		return nil, fmt.Errorf("open a part elsewhere: %w", err)
	}
	if object.scheme == fileScheme {
		return openFileElsewhere(ctx, ref, object, area)
	}
	store, err := s.elsewhere.store(ctx, object)
	if err != nil {
		return nil, err
	}
	return store.openPinned(ctx, ref, object.path)
}

// store opens the bucket of an address, once.
func (e *elsewhere) store(ctx context.Context, a address) (*Store, error) {
	e.mu.Lock()
	defer e.mu.Unlock()
	at := a.bucketURL()
	if store, ok := e.stores[at]; ok {
		return store, nil
	}
	store, err := Open(context.WithoutCancel(ctx), at) // who opens it first is not the last to read
	if err != nil {
		return nil, err
	}
	if e.stores == nil {
		e.stores = map[string]*Store{}
	}
	e.stores[at] = store
	return store, nil
}

func (e *elsewhere) close() error {
	e.mu.Lock()
	defer e.mu.Unlock()
	var errs []error
	for _, store := range e.stores {
		errs = append(errs, store.Close())
	}
	e.stores = nil
	return errors.Join(errs...)
}

// checkScheme is nil for files, and for what the binary links a driver of.
func checkScheme(scheme string) error {
	if _, ok := registered(scheme); ok {
		return nil
	}
	known := gcblob.DefaultURLMux().BucketSchemes()
	known = slices.DeleteFunc(known, func(s string) bool { return s == memblob.Scheme })
	if slices.Contains(known, scheme) {
		return nil
	}
	return fmt.Errorf("nothing reads the scheme %q here; known are: %s", clip(scheme), strings.Join(known, ", "))
}
