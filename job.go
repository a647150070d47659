package deed

import (
	"context"
	"fmt"
	"io"
	"io/fs"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"github.com/deedrun/deed/orchestrator/definition"
	"github.com/deedrun/deed/orchestrator/definition/parse"
	"github.com/deedrun/deed/task"
)

// Job is a process to be started: its definition and what it reads.
type Job struct {
	Source   *definition.Source
	Params   map[string]string // values for its parameters
	Settings map[string]string // "address.setting": value
	Inputs   map[string]Input
	By       string // who starts it, for its history; "" names nobody
	NoCache  bool   // steps that would take results of equal tasks execute theirs, and leave the results

	// Files are the files that travel with the definition, stored already, by the
	// names that it gives them. nil: they lie beside the definition.
	Files map[string]task.Ref
}

// FaultsError is a definition that is refused, with everything that is wrong with it.
type FaultsError struct{ Faults []definition.Fault }

func (e *FaultsError) Error() string {
	lines := make([]string, len(e.Faults))
	for i, f := range e.Faults {
		lines[i] = f.String()
	}
	return strings.Join(lines, "\n")
}

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
		return source, &FaultsError{faults}
	}
	return source, nil
}

// Input is what a person gives for an input of a process: an ordered list of parts.
type Input struct {
	paths  []string
	linked bool // the files at paths are read where they lie
	stream io.Reader
	values []any
	parts  []task.Part
}

// Files is the files at paths: a file, a directory (each file below it a part,
// its key the folder) or a pattern. They are stored. A URL, such as s3://bucket/folder/,
// is what lies there, by reference: it is not copied, and an object that changes or
// goes away fails the tasks that read it. Who reads it has to be allowed to, see
// Options.Read.
func Files(paths ...string) Input { return Input{paths: paths} }

// Stream is one part, read to its end.
func Stream(r io.Reader) Input { return Input{stream: r} }

// Values is one part a value, as JSON.
func Values(values ...any) Input { return Input{values: values} }

// Parts is parts whose content is stored already.
func Parts(parts ...task.Part) Input { return Input{parts: parts} }

// InputError says that an input is missing or unknown, or that what was given
// for it cannot be read or stored.
type InputError struct {
	Name string
	err  error
}

func (e *InputError) Error() string { return fmt.Sprintf("input %s: %v", e.Name, e.err) }
func (e *InputError) Unwrap() error { return e.err }

// checkInputs compares what is given with what the process asks for.
func checkInputs(def definition.Definition, given map[string]Input) error {
	for _, name := range slices.Sorted(maps.Keys(given)) {
		if slices.Contains(def.Inputs, name) {
			continue
		}
		var spell definition.Speller
		hint := spell.Hint(name, def.Inputs)
		switch {
		case len(def.Inputs) == 0:
			hint = "it has none"
		case hint == "":
			hint = "its inputs are " + strings.Join(def.Inputs, ", ")
		}
		return &InputError{Name: name, err: fmt.Errorf("process %s has no input of that name; %s", def.Name, hint)}
	}
	for _, name := range def.Inputs {
		if _, ok := given[name]; !ok {
			return &InputError{Name: name, err: fmt.Errorf("it is not given: add --in %s=PATH", name)}
		}
	}
	return nil
}

// importInputs stores the inputs of a job. Content that is stored already is
// not stored again.
func (r *Runtime) importInputs(ctx context.Context, def definition.Definition, inputs map[string]Input, progress func(name string, done, total int, bytes int64)) (map[string]task.Dataset, error) {
	data := make(map[string]task.Dataset, len(inputs))
	for name, in := range inputs {
		parts, err := r.importOne(ctx, name, in, progress)
		if err != nil {
			return nil, &InputError{Name: name, err: err}
		}
		list, err := r.Blobs.Dataset(ctx, "inputs", parts)
		if err == nil && list.Manifest != nil && def.JoinsByKey(name) {
			list.KeyNames, err = r.Blobs.KeyNames(ctx, *list.Manifest)
		}
		if err != nil {
			return nil, fmt.Errorf("input %s: %w", name, err)
		}
		data[name] = list
	}
	return data, nil
}

func (r *Runtime) importOne(ctx context.Context, name string, in Input, progress func(string, int, int, int64)) ([]task.Part, error) {
	if in.stream != nil {
		ref, err := r.Blobs.Import(ctx, in.stream)
		if err != nil {
			return nil, err
		}
		return []task.Part{{Name: name, Ref: &ref}}, nil
	}
	if in.values != nil {
		return valueParts(in.values)
	}
	if in.parts != nil {
		return in.parts, nil
	}
	return r.importPaths(ctx, in, func(done, total int, bytes int64) {
		if progress != nil {
			progress(name, done, total, bytes)
		}
	})
}

// resolve stores the files that travel with the definition and fills it in.
func (r *Runtime) resolve(ctx context.Context, job Job) (definition.Definition, error) {
	files, err := r.filesOf(ctx, job)
	if err != nil {
		return definition.Definition{}, err
	}
	def, faults := definition.Resolve(job.Source, job.Params, job.Settings, files)
	if len(faults) > 0 {
		return def, &FaultsError{faults}
	}
	if job.NoCache {
		def = refreshed(def)
	}
	return def, nil
}

// filesOf are the files that travel with the definition of a job. Where they
// are given, nothing is read from a disk, whatever the definition names.
func (r *Runtime) filesOf(ctx context.Context, job Job) ([]task.File, error) {
	if job.Files == nil {
		return r.importFiles(ctx, job.Source)
	}
	var files []task.File
	for _, f := range job.Source.AllFiles() {
		ref, given := job.Files[f.Value]
		if !given {
			return nil, &FaultsError{[]definition.Fault{{
				Pos: f.Pos, Code: "missing-file", Message: fmt.Sprintf("the file %q of the definition was not given", f.Value),
				Hint: "store it first, and give its reference",
			}}}
		}
		files = append(files, task.File{Name: f.Value, Ref: ref})
	}
	return files, nil
}

func (r *Runtime) importFiles(ctx context.Context, source *definition.Source) ([]task.File, error) {
	return filesBeside(source, func(f io.Reader) (task.Ref, error) { return r.Blobs.Import(ctx, f) })
}

// filesBeside are the files of a definition, which lie beside it, as they are
// referred to.
func filesBeside(source *definition.Source, refer func(io.Reader) (task.Ref, error)) ([]task.File, error) {
	wanted := source.AllFiles()
	if len(wanted) == 0 {
		return nil, nil
	}
	root, err := os.OpenRoot(filepath.Dir(source.File))
	if err != nil {
		return nil, fmt.Errorf("files of the definition: %w", err)
	}
	defer root.Close()
	var files []task.File
	for _, f := range wanted {
		ref, err := referTo(root.FS(), f.Value, refer)
		if err != nil {
			return nil, fmt.Errorf("%s: file %q of the definition: %w", f.Pos, f.Value, err)
		}
		files = append(files, task.File{Name: f.Value, Ref: ref})
	}
	return files, nil
}

func referTo(root fs.FS, name string, refer func(io.Reader) (task.Ref, error)) (task.Ref, error) {
	f, err := root.Open(name)
	if err != nil {
		return task.Ref{}, err
	}
	defer f.Close()
	return refer(f)
}
