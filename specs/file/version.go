package file

import (
	"encoding/json"
	"errors"
	"fmt"

	"github.com/deedrun/deed/orchestrator/definition"
	"github.com/deedrun/deed/orchestrator/definition/parse"
	"github.com/deedrun/deed/task"
)

// Definition is the definition in a file, resolved with these params and
// settings, either of which may be nil: what a specification in Go is about.
// Its retries have no jitter, which differs from process to process.
func Definition(path string, params, settings map[string]string) (definition.Definition, error) {
	d, faults, err := newVersions().resolve(path, params, settings)
	if err != nil {
		return definition.Definition{}, err
	}
	all := make([]error, len(faults))
	for i, fault := range faults {
		all[i] = errors.New(fault.String())
	}
	return d, errors.Join(all...)
}

// versions are the definitions that specifications are about. Each is read and
// resolved once, however many name it. Waits have no jitter: that depends on
// what a process is called, so nothing is to be said about it.
type versions struct {
	sources  map[string]*definition.Source
	resolved map[string]definition.Definition
	steps    int // of what was resolved, or refused
}

// maxSteps bounds what a file may cost that gives its definition other params
// or settings again and again.
const maxSteps = 200_000

const tooLarge = "too-large"

func newVersions() *versions {
	return &versions{sources: map[string]*definition.Source{}, resolved: map[string]definition.Definition{}}
}

func (v *versions) source(path string) (*definition.Source, []definition.Fault, error) {
	if source := v.sources[path]; source != nil {
		return source, nil, nil
	}
	source, faults, err := parse.File(path)
	if err != nil {
		return nil, nil, err
	}
	if faults = append(faults, definition.Check(source)...); len(faults) > 0 {
		definition.SortFaults(faults)
		return nil, faults, nil
	}
	v.sources[path] = source
	return source, nil, nil
}

func (v *versions) resolve(path string, params, settings map[string]string) (definition.Definition, []definition.Fault, error) {
	said, err := json.Marshal([]any{path, params, settings})
	if err != nil {
		return definition.Definition{}, nil, fmt.Errorf("resolve %s: %w", path, err)
	}
	if d, ok := v.resolved[string(said)]; ok {
		return d, nil, nil
	}
	source, faults, err := v.source(path)
	if err != nil || len(faults) > 0 {
		return definition.Definition{}, faults, err
	}
	var files []task.File // what is in them does not matter here
	for _, name := range source.AllFiles() {
		files = append(files, task.File{Name: name.Value})
	}
	if v.steps += source.Total() + 1; v.steps > maxSteps {
		return definition.Definition{}, []definition.Fault{{
			Code: tooLarge, Message: fmt.Sprintf("%s is wanted with too many different params and settings", path),
			Hint: "share the specifications among several files",
		}}, nil
	}
	d, faults := definition.Resolve(source, params, settings, files)
	if len(faults) > 0 {
		return d, faults, nil
	}
	unjitter(d.Steps)
	v.resolved[string(said)] = d
	return d, nil, nil
}

// unjitter takes the jitter from waits, those of children as well, each of which
// is of this definition alone.
func unjitter(steps []definition.Step) {
	for i := range steps {
		steps[i].Retry.Jitter = 0
		if child := steps[i].Process; child != nil {
			unjitter(child.Steps)
		}
	}
}

// check finds params and settings of specifications that the definition does
// not take. Such faults have no place in the definition; they get theirs here.
func (v *versions) check(path string, all []*told) []definition.Fault {
	var found []definition.Fault
	seen := map[definition.Fault]bool{} // what stands at the top of the file is wrong once
	for _, s := range all {
		_, faults, err := v.resolve(path, s.params.texts, s.set.texts)
		if err != nil {
			faults = []definition.Fault{{Code: "no-definition", Message: err.Error()}}
		}
		for _, f := range s.placed(faults) {
			if !seen[f] {
				seen[f] = true
				found = append(found, f)
			}
			if f.Code == tooLarge || len(found) == parse.MaxFaults {
				return found
			}
		}
	}
	return found
}

// placed gives faults without a place that of the params or settings they are about.
func (s *told) placed(faults []definition.Fault) []definition.Fault {
	for i := range faults {
		f := &faults[i]
		if f.Line > 0 && f.Code != "missing-param" {
			continue
		}
		f.Pos = s.set.Pos
		if f.Code == "missing-param" || f.Code == "unknown-param" || f.Code == "bad-param" {
			f.Pos = s.params.Pos
		}
		if f.Line == 0 {
			f.Pos = s.name.Pos
		}
	}
	return faults
}
