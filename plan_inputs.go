package deed

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"io"
	"os"

	"github.com/deedrun/deed/blob"
	"github.com/deedrun/deed/task"
)

// list is the parts of an input, where they are.
func (p *planner) list(ctx context.Context, in Input, digests bool) ([]task.Part, error) {
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
			listed, err := p.refer(ctx, path)
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

// refer lists data that lies elsewhere.
func (p *planner) refer(ctx context.Context, url string) ([]task.Part, error) {
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
