package definition

import (
	"cmp"
	"fmt"
	"slices"
	"strings"
)

// Pos is a place in a definition's file. Lines and columns count from 1; the
// zero Pos is no place, such as that of a value given at submit.
type Pos struct {
	File         string
	Line, Column int
}

// String is "file:line:column", or "" for no place.
func (p Pos) String() string {
	if p.Line == 0 {
		return p.File
	}
	return fmt.Sprintf("%s:%d:%d", p.File, p.Line, p.Column)
}

// Fault is one reason why a definition is refused.
type Fault struct {
	Pos
	Address string // of the step or group it is about; empty: the whole definition
	Code    string // stable, for machines: "unknown-name"
	Message string // for people
	Hint    string // what to do about it; may be empty
}

// String is the fault on one line: "file:line:column: address: message; hint".
func (f Fault) String() string {
	var b strings.Builder
	for _, prefix := range []string{f.Pos.String(), f.Address} {
		if prefix != "" {
			b.WriteString(prefix)
			b.WriteString(": ")
		}
	}
	b.WriteString(f.Message)
	if f.Hint != "" {
		b.WriteString("; ")
		b.WriteString(f.Hint)
	}
	return b.String()
}

// FaultsError is a definition that is refused, with everything that is wrong with it.
type FaultsError struct{ Faults []Fault }

func (e *FaultsError) Error() string {
	lines := make([]string, len(e.Faults))
	for i, f := range e.Faults {
		lines[i] = f.String()
	}
	return strings.Join(lines, "\n")
}

// SortFaults puts faults into the order of the file, those without a place first.
func SortFaults(faults []Fault) {
	slices.SortStableFunc(faults, func(a, b Fault) int {
		return cmp.Or(cmp.Compare(a.Line, b.Line), cmp.Compare(a.Column, b.Column), cmp.Compare(a.Code, b.Code))
	})
}
