package definition

import (
	"cmp"
	"fmt"

	"github.com/deedrun/deed/task"
)

// MaxWeight is the greatest weight of a process.
const MaxWeight = 100

// ProcessSettings are what may be said of the process as a whole; nil: not said here.
type ProcessSettings struct {
	Deadline    *Setting[task.Duration]
	Parallelism *Setting[int]
	Weight      *Setting[int]
	Cache       *Setting[Cache] // of the steps that say nothing themselves
}

// processSettings are their names, which stand without an address.
var processSettings = []string{"deadline", "parallelism", "weight", "cache"}

// or fills in what s does not say.
func (s ProcessSettings) or(other ProcessSettings) ProcessSettings {
	return ProcessSettings{
		Deadline:    cmp.Or(s.Deadline, other.Deadline),
		Parallelism: cmp.Or(s.Parallelism, other.Parallelism),
		Weight:      cmp.Or(s.Weight, other.Weight),
		Cache:       cmp.Or(s.Cache, other.Cache),
	}
}

// apply changes what is said here of the process itself, and leaves the rest of
// the definition. A weight of 1 is that of a process that says nothing, so it is not kept: both
// are the same definition.
func (s ProcessSettings) apply(d *Definition) {
	put(&d.Deadline, s.Deadline)
	put(&d.Parallelism, s.Parallelism)
	put(&d.Weight, s.Weight)
	if d.Weight == 1 {
		d.Weight = 0
	}
}

// faults are the values that make no sense.
func (s ProcessSettings) faults() []Fault {
	var all []Fault
	fault := func(at Pos, code, hint, format string, args ...any) {
		all = append(all, Fault{Pos: at, Code: code, Message: fmt.Sprintf(format, args...), Hint: hint})
	}
	if d := s.Deadline; d != nil && d.Value <= 0 && !d.None {
		fault(d.Pos, "bad-deadline", "write a time like 2h, or "+lifted(d.Pos)+" for no deadline", "deadline %s leaves the process no time", d.Value)
	}
	if p := s.Parallelism; p != nil && p.Value < 1 && !p.None {
		fault(p.Pos, "bad-parallelism", "write 1 or more, or "+lifted(p.Pos)+" for no limit", "parallelism %d is less than 1", p.Value)
	}
	if w := s.Weight; w != nil && (w.Value < 1 || w.Value > MaxWeight) && !w.None {
		fault(w.Pos, "bad-weight", "1, the default, is what others have; 3 is three times that", "weight %d is not between 1 and %d", w.Value, MaxWeight)
	}
	return all
}

// readProcessSetting reads a setting of the process by its name.
func readProcessSetting(name, value string) (s ProcessSettings, err error) {
	switch name {
	case "deadline":
		s.Deadline, err = limit(value, ParseDuration)
	case "parallelism":
		s.Parallelism, err = limit(value, parseWhole)
	case "weight":
		s.Weight, err = limit(value, parseWhole)
	case "cache":
		s.Cache, err = read(value, ParseCache)
	}
	return s, err
}
