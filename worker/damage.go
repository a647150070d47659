package worker

import (
	"context"
	"errors"
	"fmt"
	"io"
)

// noteDamage remembers that an input could not be read: it is altered, cut short
// or gone, or the store did not give it, which had been asked again and again. A
// handler is told, as the error of its read; but many a loop takes an error for
// the end.
func (t *Task) noteDamage(err error) {
	if err == nil || errors.Is(err, io.EOF) || errors.Is(err, context.Canceled) || errors.Is(err, context.DeadlineExceeded) {
		return
	}
	t.damage.CompareAndSwap(nil, &err)
}

// undamaged makes a task fail that could not read an input, whatever its handler
// made of that.
func (t *Task) undamaged(err error) error {
	if err != nil {
		return err
	}
	damage := t.damage.Load()
	if damage == nil {
		damage = t.unlocated.Load()
	}
	if damage != nil {
		return fmt.Errorf("an input could not be read, though the handler went on: %w", *damage)
	}
	return nil
}
