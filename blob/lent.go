package blob

import (
	"context"
	"errors"
	"fmt"
	"io"
	"strings"

	"github.com/deedrun/deed/task"
	gcblob "gocloud.dev/blob"
)

// What is below is for a server that lends the store to others: they may read
// all of it, and write what importing needs.

// ErrNotLent is wrapped by a write of somebody else that importing does not need.
var ErrNotLent = errors.New("only inputs and files of definitions can be stored from elsewhere, under the keys of their content")

// Receive stores what others import: content, under the key of that content, or
// the mark that content is still wanted, which has none of its own. Content that
// is not what its key says is refused, and nothing is stored; so is every other
// key, with an [ErrNotLent]. If the key holds a blob the error wraps [ErrExists],
// unless that is to be replaced, since it may be torn.
func (s *Store) Receive(ctx context.Context, key string, r io.Reader, replace bool) error {
	if err := CheckKey(key); err != nil {
		return fmt.Errorf("store %w", err)
	}
	switch kind, _ := Classify(key); kind {
	case KindInput:
		return s.receiveContent(ctx, key, r, replace)
	case KindRenewal:
		return s.receiveMark(ctx, key, r)
	default:
		return fmt.Errorf("store blob %q: %w", clip(key), ErrNotLent)
	}
}

func (s *Store) receiveContent(ctx context.Context, key string, r io.Reader, replace bool) error {
	if !replace { // whoever sends it is told before all of it is read
		there, err := s.wanted(ctx, key)
		if err != nil {
			return err
		}
		if there {
			return fmt.Errorf("store blob %q: %w", key, ErrExists)
		}
	}
	w, err := s.create(ctx, key, replace)
	if err != nil {
		return err
	}
	defer w.Abort()
	if _, err := io.Copy(w, r); err != nil {
		return fmt.Errorf("store blob %q: %w", key, err)
	}
	prefix, _, _ := strings.Cut(key, "/")
	if is := contentKey(prefix, w.sum()); is != key {
		return &MismatchError{Key: key, Is: is}
	}
	return w.Close()
}

// wanted reports whether content is there, and keeps it from being swept.
func (s *Store) wanted(ctx context.Context, key string) (bool, error) {
	written, err := s.modTime(ctx, key)
	if err != nil || written.IsZero() {
		return false, err
	}
	return s.renew(ctx, key, written)
}

// Want keeps what a reference names from being swept, if it is named after its
// content. What is not there, or has another size, is an error.
func (s *Store) Want(ctx context.Context, ref task.Ref) error {
	if err := checkRef(ref); err != nil {
		return err
	}
	attrs, err := s.attributes(ctx, ref.Key)
	if err != nil {
		return readError("look for blob", ref.Key, err)
	}
	if attrs.Size != ref.Size {
		return sizeError(ref, attrs.Size)
	}
	if !isContentOf(ref) {
		return nil
	}
	there, err := s.renew(ctx, ref.Key, attrs.ModTime)
	if err == nil && !there {
		err = fmt.Errorf("look for blob %q: %w", ref.Key, ErrNotFound)
	}
	return err
}

// receiveMark does the whole of a renewal: when it returns, no sweep that had
// seen the mark before is still under way.
func (s *Store) receiveMark(ctx context.Context, key string, r io.Reader) error {
	if n, err := io.CopyN(io.Discard, r, 1); n > 0 || !errors.Is(err, io.EOF) {
		return fmt.Errorf("store blob %q: %w: such a mark is empty", key, ErrNotLent)
	}
	if err := s.mark(ctx, key); err != nil {
		return err
	}
	return s.outwait(ctx)
}

// MismatchError is content that was given under the key of another.
type MismatchError struct {
	Key string
	Is  string // its own key
}

func (e *MismatchError) Error() string {
	return fmt.Sprintf("store blob %q: what was given is %q: it was altered or cut off on its way; send it again", e.Key, e.Is)
}

// Listed is a blob in a list, or, as a folder, what the keys of several have in
// common up to the delimiter.
type Listed struct {
	Object
	Folder bool
}

// List is a page of at most `most` keys that begin with prefix, in order. A page
// begins where next of the one before it says, the first with none; the last has
// no next.
func (s *Store) List(ctx context.Context, prefix, delimiter string, begin []byte, most int) (page []Listed, next []byte, err error) {
	if len(begin) == 0 {
		begin = gcblob.FirstPageToken
	}
	objects, next, err := s.page(ctx, begin, most, gcblob.ListOptions{Prefix: prefix, Delimiter: delimiter})
	if err != nil {
		return nil, nil, fmt.Errorf("list blobs %q: %w", clip(prefix), err)
	}
	for _, o := range objects {
		page = append(page, Listed{Object{o.Key, o.Size, o.ModTime}, o.IsDir})
	}
	return page, next, nil
}
