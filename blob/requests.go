package blob

import (
	"context"

	gcblob "gocloud.dev/blob"
)

// What is below is asked of the backend in one request, and repeated if need be.

// attributes is what the backend knows of a blob.
func (s *Store) attributes(ctx context.Context, key string) (attrs *gcblob.Attributes, err error) {
	err = s.retry(ctx, answerTime, func(ctx context.Context) error {
		attrs, err = s.bucket.Attributes(ctx, key)
		return err
	})
	return attrs, err
}

// page is a page of a list, and where the next begins.
func (s *Store) page(ctx context.Context, begin []byte, most int, o gcblob.ListOptions) (page []*gcblob.ListObject, next []byte, err error) {
	err = s.retry(ctx, answerTime, func(ctx context.Context) error {
		page, next, err = s.bucket.ListPage(ctx, begin, most, &o)
		return err
	})
	return page, next, err
}

// remove deletes a blob. One that is not there, perhaps since an earlier try
// got through, is no error.
func (s *Store) remove(ctx context.Context, key string) error {
	err := s.retry(ctx, answerTime, func(ctx context.Context) error { return s.bucket.Delete(ctx, key) })
	if isNotFound(err) {
		return nil
	}
	return err
}
