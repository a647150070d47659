package standard

import (
	"errors"
	"fmt"
)

// BadInputError says what is wrong with an input, or with a parameter: trying
// again is pointless.
type BadInputError struct {
	Where string // what people call the part; "" for a parameter
	Line  int    // from 1; 0: there are none
	What  string
}

func (e *BadInputError) Error() string {
	switch {
	case e.Where == "":
		return e.What
	case e.Line == 0:
		return e.Where + ": " + e.What
	}
	return fmt.Sprintf("%s:%d: %s", e.Where, e.Line, e.What)
}

func badParam(name, format string, args ...any) error {
	return &BadInputError{What: "the parameter " + name + ": " + fmt.Sprintf(format, args...)}
}

// excerpt keeps a value in an error short.
func excerpt(b []byte) string {
	const most = 60
	if len(b) > most {
		return fmt.Sprintf("%q…", b[:most])
	}
	return fmt.Sprintf("%q", b)
}

// closing adds the error of a Close to the one that there is.
func closing(err error, c interface{ Close() error }) error { return errors.Join(err, c.Close()) }
