package blob

import (
	"errors"
	"fmt"
)

// ChangedError says that an object which is referred to where it lies is not what
// it was then. Reading again does not help.
type ChangedError struct {
	URL  string
	Want string // what it was, such as `its ETag was "x"`
	Got  string // what it is; "": it is gone
}

func (e *ChangedError) Error() string {
	if e.Got == "" {
		return fmt.Sprintf("%s is gone since it was submitted: put it back, or submit what is there now", withoutQuery(e.URL))
	}
	return fmt.Sprintf("%s changed since it was submitted: %s, now it is %s: put back what it was, or submit it as it is now", withoutQuery(e.URL), e.Want, e.Got)
}

// Unwrap makes one that is gone an [ErrNotFound].
func (e *ChangedError) Unwrap() error {
	if e.Got == "" {
		return ErrNotFound
	}
	return nil
}

// DeniedError says that nobody told the reader to read there: else whoever may
// submit a process could read all that the reader can.
type DeniedError struct {
	URL string
	Ask string // what would have to be allowed
}

func (e *DeniedError) Error() string {
	return fmt.Sprintf("%s may not be read here: who reads data where it lies has to be told so, by --read '%s'", withoutQuery(e.URL), e.Ask)
}

// malformedError is about a part that is none, whoever reads it.
type malformedError struct{ error }

func (e *malformedError) Unwrap() error { return e.error }

// Lasting reports whether an error is about a part that another try would not read
// either: it is malformed, or lies elsewhere and changed, or may not be read there.
func Lasting(err error) bool {
	var malformed *malformedError
	var changed *ChangedError
	var denied *DeniedError
	return errors.As(err, &malformed) || errors.As(err, &changed) || errors.As(err, &denied)
}
