package deed

import (
	"context"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"slices"

	"github.com/deedrun/deed/orchestrator/definition"
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

// resolve fills the definition in, with the files that travel with it as they are
// referred to.
func (job Job) resolve(refer func(io.Reader) (task.Ref, error)) (definition.Definition, error) {
	files, err := job.files(refer)
	if err != nil {
		return definition.Definition{}, err
	}
	def, faults := definition.Resolve(job.Source, job.Params, job.Settings, files)
	if len(faults) > 0 {
		return def, &FaultsError{Faults: faults}
	}
	if job.NoCache {
		def = refreshed(def)
	}
	return def, nil
}

// resolve stores the files that travel with a definition and fills it in.
func (r *Runtime) resolve(ctx context.Context, job Job) (definition.Definition, error) {
	return job.resolve(func(f io.Reader) (task.Ref, error) { return r.Blobs.Import(ctx, f) })
}

// refreshed is the definition of a process that executes all of its tasks and
// those of its children, and replaces what earlier ones left.
func refreshed(def definition.Definition) definition.Definition {
	def.Steps = slices.Clone(def.Steps)
	for i := range def.Steps {
		step := &def.Steps[i]
		if step.Cache == definition.CacheUse {
			step.Cache = definition.CacheRefresh
		}
		if step.Process != nil {
			child := refreshed(*step.Process)
			step.Process = &child
		}
	}
	return def
}

// files are the files that travel with the definition of a job. Where they
// are given, nothing is read from a disk, whatever the definition names.
func (job Job) files(refer func(io.Reader) (task.Ref, error)) ([]task.File, error) {
	if job.Files == nil {
		return filesBeside(job.Source, refer)
	}
	var files []task.File
	for _, f := range job.Source.AllFiles() {
		ref, given := job.Files[f.Value]
		if !given {
			return nil, &FaultsError{Faults: []definition.Fault{{
				Pos: f.Pos, Code: "missing-file", Message: fmt.Sprintf("the file %q of the definition was not given", f.Value),
				Hint: "store it first, and give its reference",
			}}}
		}
		files = append(files, task.File{Name: f.Value, Ref: ref})
	}
	return files, nil
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
