package deed

import (
	"github.com/deedrun/deed/orchestrator/definition"
	"github.com/deedrun/deed/orchestrator/definition/parse"
)

// FaultsError is a definition that is refused, with everything that is wrong with it.
type FaultsError = definition.FaultsError

// Parse reads a definition from text and checks it. Its error for a definition
// that is at fault is a *FaultsError.
func Parse(text string) (*definition.Source, error) { return ParseAll(text, nil) }

// ParseAll is Parse for a definition that names others as the children of its
// steps: named are the texts of these, by the paths that it gives them.
func ParseAll(text string, named map[string]string) (*definition.Source, error) {
	source, faults := parse.Texts("definition", []byte(text), named)
	return checked(source, faults, nil)
}

// MustParse is Parse for a text that is part of the program: it panics if the
// definition is at fault.
func MustParse(text string) *definition.Source {
	source, err := Parse(text)
	if err != nil {
		panic(err)
	}
	return source
}

// ParseFile reads a definition from a file, and those that it names from beside
// it, and checks them.
func ParseFile(path string) (*definition.Source, error) {
	source, faults, err := parse.File(path)
	return checked(source, faults, err)
}

func checked(source *definition.Source, faults []definition.Fault, err error) (*definition.Source, error) {
	if err != nil {
		return nil, err
	}
	if source != nil {
		faults = append(faults, definition.Check(source)...)
	}
	if len(faults) > 0 {
		definition.SortFaults(faults)
		return source, &FaultsError{Faults: faults}
	}
	return source, nil
}
