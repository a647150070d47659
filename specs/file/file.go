// Package file reads specifications that stand in a file beside a definition
// and runs them: given what happened to a process, when something more happens,
// then this follows.
//
//	specs:
//	- name: totals are merged when every text is counted
//	  inputs: {corpus: 2}
//	  given:
//	  - done: count[0]
//	  when:
//	    done: count[1]
//	  then:
//	    scheduled: merge
//
// Nothing is executed. Each specification becomes a [specs.Spec], which the
// real core decides. What happens may be left vague, and is then what usually
// happens: a task writes one part to each of its outputs, a report is about the
// current attempt, everything takes place at noon.
//
// A file may come from anywhere: what it costs to read and to run is bounded.
package file

import (
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/deedrun/deed/orchestrator/definition"
	"github.com/deedrun/deed/orchestrator/definition/parse"
	"github.com/deedrun/deed/specs"
)

// maxBytes is the most that a file of specifications may have.
const maxBytes = 1 << 20

// Ending is how the name of a file of specifications ends: those of
// process.yaml are in process.spec.yaml.
const Ending = ".spec.yaml"

// File is a file of specifications that is ready to run.
type File struct {
	Path       string
	Definition string // path of the definition that it is about
	Name       string // of the process
	About      string
	specs      []*told
	versions   *versions
}

// Load reads the file at path and the definition that it is about. The error is
// about reading; what is wrong with either are faults, each with its place.
func Load(path string) (*File, []definition.Fault, error) {
	data, err := read(path)
	if err != nil {
		return nil, nil, fmt.Errorf("read specifications: %w", err)
	}
	return load(path, data)
}

// load is Load of what has been read. The path is where it would lie.
func load(path string, data []byte) (*File, []definition.Fault, error) {
	root, faults := parse.Any(path, data)
	if len(faults) > 0 {
		return nil, faults, nil
	}
	r := &reader{}
	d := r.document(root, path)
	if len(r.faults) > 0 {
		definition.SortFaults(r.faults)
		return nil, r.faults, nil
	}
	f := &File{Path: path, About: d.about, specs: d.specs, versions: newVersions()}
	f.Definition = beside(path)
	if d.definition.Given() {
		f.Definition = filepath.Join(filepath.Dir(path), filepath.FromSlash(d.definition.Value))
	}
	source, faults, err := f.versions.source(f.Definition)
	switch {
	case errors.Is(err, fs.ErrNotExist):
		place := d.definition.Pos
		if place.Line == 0 {
			place = root.Pos
		}
		return nil, []definition.Fault{{
			Pos: place, Code: "no-definition", Message: fmt.Sprintf("there is no definition %s", f.Definition),
			Hint: "write definition: PATH, relative to this file",
		}}, nil
	case err != nil || len(faults) > 0:
		return nil, faults, err
	}
	f.Name = source.Name.Value
	if f.About == "" {
		f.About = fmt.Sprintf("What %s says of %s.", filepath.Base(path), filepath.Base(f.Definition))
	}
	faults = f.versions.check(f.Definition, f.specs)
	if len(faults) > 0 {
		definition.SortFaults(faults)
		return nil, faults, nil
	}
	return f, nil, nil
}

func read(path string) ([]byte, error) {
	f, err := os.Open(path)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	data, err := io.ReadAll(io.LimitReader(f, maxBytes+1))
	if err == nil && len(data) > maxBytes {
		err = fmt.Errorf("%s is larger than %d MiB: share the specifications among several files", path, maxBytes>>20)
	}
	return data, err
}

// beside is the definition that a file is about if it does not say.
func beside(path string) string {
	ending := filepath.Ext(path)
	return strings.TrimSuffix(strings.TrimSuffix(path, ending), ".spec") + ending
}

// Run checks all specifications, in order.
func (f *File) Run() []Result {
	cost, spell := maxCost, &definition.Speller{}
	results := make([]Result, len(f.specs))
	for i, s := range f.specs {
		results[i] = f.run(s, &cost, spell)
	}
	return results
}

// Result is what came of a specification.
type Result struct {
	definition.Pos
	Spec     specs.Spec // as far as it could be made
	Problems []Problem  // none: it holds
}

// Problem is why a specification does not hold, and where the file says otherwise.
type Problem struct {
	definition.Pos
	Text string // of one or several lines
}

// String is the problem with its place.
func (p Problem) String() string { return p.Pos.String() + ": " + p.Text }

// Test runs the specifications of files, each as a subtest named by its sentence.
func Test(t *testing.T, paths ...string) {
	t.Helper()
	for _, path := range paths {
		t.Run(filepath.Base(path), func(t *testing.T) {
			f, faults, err := Load(path)
			if err != nil {
				t.Fatal(err)
			}
			for _, fault := range faults {
				t.Error(fault)
			}
			if f == nil {
				return
			}
			for _, result := range f.Run() {
				t.Run(result.Spec.Name, func(t *testing.T) {
					for _, problem := range result.Problems {
						t.Error(problem)
					}
				})
			}
		})
	}
}
