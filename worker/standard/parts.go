package standard

import (
	"errors"
	"fmt"
	"io"
)

// eachPart opens the parts one after the other. do reads each to its end: only
// there it is known that the bytes are those that were written.
func eachPart(t Task, do func(i int, part Part, in io.Reader) error) error {
	i := 0
	for part, err := range t.Parts() {
		if err != nil {
			return err
		}
		in, err := part.Open()
		if err != nil {
			return fmt.Errorf("%s: %w", part.where(i), err)
		}
		if err := closing(do(i, part, in), in); err != nil {
			return located(part.where(i), err)
		}
		i++
	}
	return nil
}

// located says which part an error is about, if it does not say so itself.
func located(where string, err error) error {
	var bad *BadInputError
	if errors.As(err, &bad) {
		return err
	}
	return fmt.Errorf("%s: %w", where, err)
}

// firstName is the name of what is made of several parts.
func firstName(said string, parts []Part) string {
	if said == "" && len(parts) > 0 {
		return parts[0].Name
	}
	return said
}

// allParts lists the parts.
func allParts(t Task) (all []Part, err error) {
	for part, err := range t.Parts() {
		if err != nil {
			return nil, err
		}
		all = append(all, part)
	}
	return all, nil
}
