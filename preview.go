package deed

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"io"
	"os"

	"github.com/deedrun/deed/blob"
	"github.com/deedrun/deed/orchestrator/definition"
	"github.com/deedrun/deed/orchestrator/process"
	"github.com/deedrun/deed/task"
)

// Preview is what [Runtime.Prepare] would start, without an ID: nothing is stored,
// and inputs are lists of what lies where it was given. Files are read only if
// their content decides whether results of earlier tasks may be reused.
func Preview(ctx context.Context, job Job) (process.StartProcess, error) {
	def, err := job.resolve(hashed)
	if err != nil {
		return process.StartProcess{}, err
	}
	if err := checkInputs(def, job.Inputs); err != nil {
		return process.StartProcess{}, err
	}
	start := process.StartProcess{Definition: def, Inputs: map[string]task.Dataset{}, Asked: process.Asked{By: job.By}}
	for name, in := range job.Inputs {
		parts, err := in.list(ctx, caches(def))
		if err != nil {
			return process.StartProcess{}, &InputError{Name: name, err: err}
		}
		start.Inputs[name] = task.Dataset{Parts: parts}
	}
	return start, nil
}

// caches reports whether some step may take results of earlier tasks.
func caches(def definition.Definition) bool {
	for _, s := range def.Steps {
		if s.Cache == definition.CacheUse || s.Process != nil && caches(*s.Process) {
			return true
		}
	}
	return false
}

// list is the parts of an input, where they are.
func (in Input) list(ctx context.Context, digests bool) ([]task.Part, error) {
	switch {
	case in.stream != nil:
		return nil, errors.New("a plan reads no stream, since that can be read once: give a file")
	case in.values != nil:
		return valueParts(in.values)
	case in.parts != nil:
		return in.parts, nil
	}
	var parts []task.Part
	for _, path := range in.paths {
		if blob.IsURL(path) {
			listed, err := listURL(ctx, path)
			if err != nil {
				return nil, err
			}
			parts = append(parts, listed...)
			continue
		}
		files, err := blob.Collect(path)
		if err != nil {
			return nil, err
		}
		for _, f := range files {
			part := task.Part{Key: f.Key, Name: f.Name}
			ref, err := referred(f.Path, digests)
			if err != nil {
				return nil, err
			}
			part.Ref = &ref
			parts = append(parts, part)
		}
	}
	return parts, nil
}

// listURL lists data that lies elsewhere.
func listURL(ctx context.Context, url string) ([]task.Part, error) {
	blobs, err := blob.Open(ctx, "mem://")
	if err != nil {
		return nil, err
	}
	defer blobs.Close()
	parts, _, err := blobs.Refer(ctx, url, func(int, int, int64) {})
	return parts, err
}

// referred is a file as it would be referred to. It is read only where its digest
// is asked for.
func referred(path string, digest bool) (task.Ref, error) {
	if !digest {
		info, err := os.Stat(path)
		if err != nil {
			return task.Ref{}, err
		}
		return task.Ref{Key: "inputs/" + path, Size: info.Size()}, nil
	}
	file, err := os.Open(path)
	if err != nil {
		return task.Ref{}, err
	}
	defer file.Close()
	return hashed(file)
}

// hashed is the reference that a file has once it is stored.
func hashed(file io.Reader) (task.Ref, error) {
	sum := sha256.New()
	size, err := io.Copy(sum, file)
	if err != nil {
		return task.Ref{}, err
	}
	digest := hex.EncodeToString(sum.Sum(nil))
	return task.Ref{Key: "inputs/" + digest, Size: size, SHA256: digest}, nil
}
