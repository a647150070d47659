package deed

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"slices"
	"strings"

	"github.com/deedrun/deed/blob"
	"github.com/deedrun/deed/task"
)

// Linked is the files at paths, as Files takes them, where they lie: they are not
// copied, and whoever reads them finds them at the same absolute paths. A file that
// changes or goes away fails the tasks that read it.
func Linked(paths ...string) Input { return Input{paths: paths, linked: true} }

// allowReading tells the blob store where data may be read that lies elsewhere: in
// the places of the options, and in those that were given as inputs in this folder,
// by whoever could read and write all of it.
func (r *Runtime) allowReading() error {
	if err := r.Blobs.AllowReading(r.options.Read...); err != nil {
		return err
	}
	if r.options.Dir == "" {
		return nil
	}
	folder, err := openFolder(r.options.Dir, false)
	if err != nil {
		return err
	}
	r.Blobs.AskReading(folder.granted)
	return nil
}

// grant lets this runtime, and those of its folder, read where an input lies that
// was given here. Who joined a server allows nobody there anything.
func (r *Runtime) grant(area string) error {
	if err := r.Blobs.AllowReading(area); err != nil {
		return err
	}
	if r.options.Dir == "" {
		return nil
	}
	folder, err := openFolder(r.options.Dir, false)
	if err != nil {
		return err
	}
	return folder.grant(area)
}

// granted are the places where inputs lie that were given in this folder.
func (f folder) granted() ([]string, error) {
	data, err := os.ReadFile(f.reads())
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return nil, err
	}
	return strings.Fields(string(data)), nil
}

// grant adds a place. Two who do so at once may both add it.
func (f folder) grant(area string) error {
	known, err := f.granted()
	if err == nil && slices.Contains(known, area) {
		return nil
	}
	var file *os.File
	if err == nil {
		file, err = os.OpenFile(f.reads(), os.O_CREATE|os.O_APPEND|os.O_WRONLY, 0o600)
	}
	if err == nil {
		_, err = file.WriteString(area + "\n") // one write: lines do not mix
		err = errors.Join(err, file.Close())
	}
	if err != nil {
		return fmt.Errorf("note where inputs lie: %w", err)
	}
	return nil
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
