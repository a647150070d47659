package deed

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"maps"
	"slices"
	"strings"

	"github.com/deedrun/deed/blob"
	"github.com/deedrun/deed/orchestrator/definition"
	"github.com/deedrun/deed/task"
)

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

// Linked is the files at paths, as Files takes them, where they lie: they are not
// copied, and whoever reads them finds them at the same absolute paths. A file that
// changes or goes away fails the tasks that read it.
func Linked(paths ...string) Input { return Input{paths: paths, linked: true} }

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

func valueParts(values []any) ([]task.Part, error) {
	parts := make([]task.Part, len(values))
	for i, v := range values {
		data, err := json.Marshal(v)
		if err != nil {
			return nil, fmt.Errorf("value %d: %w", i, err)
		}
		parts[i] = task.Part{Value: data}
	}
	return parts, nil
}

// refer is the parts of what is read where it lies.
func (r *Runtime) refer(ctx context.Context, path string, linked bool, progress func(done, total int, bytes int64)) ([]task.Part, error) {
	list := r.Blobs.Refer
	if linked && !blob.IsURL(path) {
		list = r.Blobs.Link
	}
	parts, area, err := list(ctx, path, progress)
	if err != nil {
		return nil, err
	}
	return parts, r.grant(area)
}

// importPaths is the parts of files, which are stored, and of what is read where it
// lies: URLs, and files that are linked.
func (r *Runtime) importPaths(ctx context.Context, in Input, progress func(done, total int, bytes int64)) ([]task.Part, error) {
	var parts []task.Part
	var files []blob.File
	for _, path := range in.paths {
		if in.linked || blob.IsURL(path) {
			referred, err := r.refer(ctx, path, in.linked, progress)
			if err != nil {
				return nil, err
			}
			parts = append(parts, referred...)
			continue
		}
		found, err := blob.Collect(path)
		if err != nil {
			return nil, err
		}
		files = append(files, found...)
	}
	stored, err := r.Blobs.ImportPaths(ctx, files, progress)
	return append(parts, stored...), err
}
