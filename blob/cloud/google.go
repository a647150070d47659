package cloud

import (
	"errors"
	"io"

	"cloud.google.com/go/storage"
	gcblob "gocloud.dev/blob"
)

// retryGoogle makes the client repeat what it would not: a request whose
// connection ended without an answer. That is safe, since a write is on condition
// that nothing is there, or of the content that the key is named after.
func retryGoogle(_ *gcblob.Bucket, as func(any) bool) error {
	var object **storage.ObjectHandle
	if as(&object) {
		*object = (*object).Retryer(storage.WithPolicy(storage.RetryAlways), storage.WithErrorFunc(func(err error) bool {
			return storage.ShouldRetry(err) || errors.Is(err, io.EOF) || errors.Is(err, io.ErrUnexpectedEOF)
		}))
	}
	return nil
}
