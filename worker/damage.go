package worker

import (
	"errors"
	"fmt"

	"github.com/deedrun/deed/blob"
)

// noteDamage remembers that a part could not be read as what it is said to be: it
// is altered, cut short or gone. A handler is told, as the error of its read; but
// many a loop takes an error for the end.
func (t *Task) noteDamage(err error) {
	if err == nil {
		return
	}
	var corrupt *blob.CorruptError
	if errors.As(err, &corrupt) || errors.Is(err, blob.ErrNotFound) || blob.Lasting(err) {
		t.damage.CompareAndSwap(nil, &err)
	}
}

// undamaged makes a task fail that read damaged input, whatever its handler made
// of that.
func (t *Task) undamaged(err error) error {
	if damage := t.damage.Load(); err == nil && damage != nil {
		return fmt.Errorf("an input could not be read, though the handler went on: %w", *damage)
	}
	return err
}
