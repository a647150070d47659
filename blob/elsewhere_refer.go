package blob

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"os"
	"path"
	"path/filepath"
	"slices"
	"strings"

	"github.com/deedrun/deed/task"
)

// looksAtOnce is how many objects of a bucket are looked at, at a time.
const looksAtOnce = 16

// Refer makes parts of the objects that a URL means, where they lie: of the one
// that it names, or of all below the folder that it names, ordered by (key, name)
// like imported files. Nothing is copied. Objects are pinned by the ETag that they
// have now; files, file:///…, are read once and pinned by their SHA-256. area is
// the URL that AllowReading takes for them. progress is as that of ImportPaths.
func (s *Store) Refer(ctx context.Context, text string, progress func(done, total int, bytes int64)) (parts []task.Part, area string, err error) {
	a, err := parsePlace(text)
	if err != nil {
		return nil, "", err
	}
	if a.scheme == fileScheme {
		return s.Link(ctx, a.file(), progress)
	}
	store, err := s.elsewhere.store(ctx, a)
	if err != nil {
		return nil, "", err
	}
	objects, below, err := store.find(ctx, a.path)
	if err != nil {
		return nil, "", fmt.Errorf("look into %s: %w", a, err)
	}
	parts, err = many(ctx, len(objects), looksAtOnce, progress, func(ctx context.Context, i int) (task.Part, error) {
		return store.refer(ctx, a, below, objects[i])
	})
	return order(parts), a.String(), err
}

// find lists the keys of the objects in a folder, and what they have in common;
// a key that is an object is that one.
func (s *Store) find(ctx context.Context, key string) (keys []string, below string, err error) {
	if key != "" && !strings.HasSuffix(key, "/") {
		_, err := s.attributes(ctx, key)
		if err == nil {
			return []string{key}, strings.TrimSuffix(key, path.Base(key)), nil
		}
		if !isNotFound(err) {
			return nil, "", err
		}
		key += "/"
	}
	for object, err := range s.list(ctx, key, "") {
		switch {
		case err != nil:
			return nil, "", err
		case strings.HasSuffix(object.Key, "/"): // some tools mark folders by objects that are called so
		default:
			keys = append(keys, object.Key)
		}
	}
	if len(keys) == 0 {
		return nil, "", errors.New("nothing is there; write a folder or an object that is, such as s3://bucket/folder/")
	}
	return keys, key, nil
}

// refer is the part that an object becomes.
func (s *Store) refer(ctx context.Context, a address, below, key string) (task.Part, error) {
	a.path = key
	attrs, err := s.attributes(ctx, key)
	switch {
	case isNotFound(err):
		return task.Part{}, fmt.Errorf("%s went away while its folder was listed; try again when nobody writes to it", a)
	case err != nil:
		return task.Part{}, fmt.Errorf("look at %s: %w", a, err)
	case attrs.ETag == "":
		return task.Part{}, fmt.Errorf("%s has no ETag, so that nobody would notice that it changed: copy it, and import the copy", a)
	}
	relative := strings.TrimPrefix(key, below)
	folder := strings.Trim(strings.TrimSuffix(relative, path.Base(relative)), "/")
	return partAt(a, folder, path.Base(relative), task.Ref{Size: attrs.Size, ETag: attrs.ETag})
}

func partAt(a address, folder, name string, ref task.Ref) (task.Part, error) {
	ref.Key, ref.URL = "", a.String()
	p := task.Part{Key: folder, Name: name, Ref: &ref}
	if _, err := parseRef(ref.URL); err != nil {
		return p, fmt.Errorf("%q cannot be referred to: %w", clip(a.path), err)
	}
	return p, checkPart(p)
}

// Link is Refer for the files that a path means, as Collect understands it. Links
// are followed while they stay below the path.
func (s *Store) Link(ctx context.Context, input string, progress func(done, total int, bytes int64)) (parts []task.Part, area string, err error) {
	files, err := Collect(input)
	if err != nil {
		return nil, "", err
	}
	root, err := linkRoot(input)
	if err != nil {
		return nil, "", fmt.Errorf("input %q: %w", input, err)
	}
	parts, err = many(ctx, len(files), importers, progress, func(ctx context.Context, i int) (task.Part, error) {
		return link(ctx, root, files[i])
	})
	return parts, root.String(), err
}

// linkRoot is the real path of what was given: a file, a folder, or that which a
// pattern begins with.
func linkRoot(input string) (address, error) {
	if _, err := os.Stat(input); err != nil && strings.ContainsAny(input, "*?[") {
		input = fixedFolder(input)
	}
	target, err := realPath(input)
	return fileAddress(target), err
}

func realPath(name string) (string, error) {
	absolute, err := filepath.Abs(name)
	if err != nil {
		return "", err
	}
	return filepath.EvalSymlinks(absolute)
}

func link(ctx context.Context, root address, file File) (task.Part, error) {
	target, err := realPath(file.Path)
	if err != nil {
		return task.Part{}, fmt.Errorf("link file %q: %w", file.Path, err)
	}
	at := fileAddress(target)
	if !root.covers(at) {
		return task.Part{}, fmt.Errorf("link file %q: it leads to %q, out of %q: link that one, or import it with --in", file.Path, target, root.file())
	}
	f, ref, err := openContent(ctx, target)
	if err != nil {
		return task.Part{}, fmt.Errorf("link file %q: %w", file.Path, err)
	}
	if err := f.Close(); err != nil {
		return task.Part{}, fmt.Errorf("link file %q: %w", file.Path, err)
	}
	return partAt(at, file.Key, file.Name, ref)
}

func order(parts []task.Part) []task.Part {
	slices.SortStableFunc(parts, func(a, b task.Part) int {
		return cmp.Or(strings.Compare(a.Key, b.Key), strings.Compare(a.Name, b.Name))
	})
	return parts
}
