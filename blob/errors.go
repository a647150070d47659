package blob

import (
	"errors"
	"fmt"
	"net"
	"net/http"

	"gocloud.dev/gcerrors"
)

// ErrNotFound is wrapped by errors about a blob that is not, or no longer,
// in the store.
var ErrNotFound = errors.New("blob not found")

// ErrExists is wrapped by errors about a key that holds a blob already. That
// blob is unchanged.
var ErrExists = errors.New("a blob with this key exists")

// CorruptError says that a blob does not hold the bytes that its reference
// names: it was altered, or its write was torn. Reading again does not help. It
// has to be removed, and the data produced or imported again; an import alone
// would take it, having the right size, for the content.
type CorruptError struct {
	Key  string
	Want string // what the reference names
	Got  string // what the store holds
}

func (e *CorruptError) Error() string {
	return fmt.Sprintf("blob %q is corrupt: want %s, got %s: it was altered or torn in the store; remove it there, and produce or import it again",
		e.Key, e.Want, e.Got)
}

// codeOf is what an error of a backend means. The status of the answer comes
// first: drivers take a host name that is not resolved, a permission that is
// missing and, one of them, any answer in whose text a "301" happens to be, for a
// blob that is not there.
func codeOf(err error) gcerrors.ErrorCode {
	var name *net.DNSError
	if errors.As(err, &name) {
		return gcerrors.Unknown
	}
	code, status := gcerrors.Code(err), httpStatus(err)
	switch {
	case status == http.StatusNotFound:
		return gcerrors.NotFound
	case status == http.StatusPreconditionFailed:
		return gcerrors.FailedPrecondition
	case status == http.StatusUnauthorized || status == http.StatusForbidden:
		return gcerrors.PermissionDenied
	case status != 0 && code == gcerrors.NotFound:
		return gcerrors.Unknown
	}
	return code
}

func isNotFound(err error) bool { return codeOf(err) == gcerrors.NotFound }

// readError gives an error of the backend its meaning for callers.
func readError(operation, key string, err error) error {
	if isNotFound(err) {
		return fmt.Errorf("%s %q: %w (%w)", operation, key, ErrNotFound, err)
	}
	return fmt.Errorf("%s %q: %w", operation, key, err)
}

// writeError is readError for the end of a write.
func writeError(operation, key string, err error) error {
	switch codeOf(err) {
	case gcerrors.FailedPrecondition, gcerrors.AlreadyExists:
		return fmt.Errorf("%s %q: %w (%w)", operation, key, ErrExists, err)
	}
	return fmt.Errorf("%s %q: %w", operation, key, err)
}
