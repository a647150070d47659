package blob

import (
	"cmp"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path"
	"path/filepath"
	"slices"
	"strings"
	"unicode/utf8"
)

// File is a file that becomes a part: Key is its folder, Name its name.
type File struct {
	Path string // to open it
	Key  string // folders between the given path and the file, with slashes; "" at the top
	Name string
}

// stateFolder is where deed keeps its own files. Importing the working
// directory would otherwise import the blob store into itself.
const stateFolder = ".deed"

// Collect lists the files that a path means, ordered by (key, name) bytewise:
//
//   - a file: itself
//   - a directory: every file below it; hidden ones too, but nothing in a
//     folder named .deed. An empty directory is an empty list.
//   - a pattern as of filepath.Match, unless a file has that very name: every
//     match, as if the folder before the first wildcard had been given. No
//     match is an error.
//
// Symbolic links are followed, under the name of the link; one that leads back
// to a folder it lies in is an error, as is anything that is neither file nor
// folder, and a name that is not valid UTF-8. Whether files can be read shows
// when they are imported.
func Collect(input string) ([]File, error) {
	c := &collector{}
	if err := c.collect(input); err != nil {
		return nil, fmt.Errorf("input %q: %w", input, err)
	}
	slices.SortStableFunc(c.files, func(a, b File) int {
		return cmp.Or(strings.Compare(a.Key, b.Key), strings.Compare(a.Name, b.Name))
	})
	return c.files, nil
}

type collector struct {
	files []File
	above []fs.FileInfo // the folders being walked, outermost first
}

func (c *collector) collect(input string) error {
	info, err := os.Stat(input)
	switch {
	case err == nil && info.IsDir():
		return c.folder(input, "", info)
	case err == nil:
		return c.add(input, "", info)
	case !errors.Is(err, fs.ErrNotExist) || !strings.ContainsAny(input, "*?["):
		return linkError(input, err)
	}
	return c.pattern(input)
}

func (c *collector) pattern(pattern string) error {
	matches, err := filepath.Glob(pattern)
	if err != nil {
		return fmt.Errorf("%w; a wildcard character in a name is written \\*, \\? or \\[", err)
	}
	base := fixedFolder(pattern)
	for _, match := range matches {
		relative, err := filepath.Rel(base, match)
		if err != nil {
			return err
		}
		key := path.Dir(filepath.ToSlash(relative))
		if key == "." {
			key = ""
		}
		if err := c.visit(match, key); err != nil {
			return err
		}
	}
	if len(matches) == 0 {
		return errors.New("nothing matches the pattern")
	}
	return nil
}

// fixedFolder is the folder before the first wildcard of a pattern.
func fixedFolder(pattern string) string {
	fixed := pattern[:strings.IndexAny(pattern, `*?[\`)]
	return filepath.Dir(fixed + "x")
}

// folder walks a directory whose files have the key, or one that begins with it.
func (c *collector) folder(dir, key string, info fs.FileInfo) error {
	for _, above := range c.above {
		if os.SameFile(above, info) {
			return fmt.Errorf("%q leads back to a folder that it lies in; remove the link", dir)
		}
	}
	c.above = append(c.above, info)
	defer func() { c.above = c.above[:len(c.above)-1] }()
	entries, err := os.ReadDir(dir)
	if err != nil {
		return err
	}
	for _, entry := range entries {
		if err := c.visit(filepath.Join(dir, entry.Name()), key); err != nil {
			return err
		}
	}
	return nil
}

// visit takes what lies at a path, in a folder with the key.
func (c *collector) visit(at, key string) error {
	info, err := os.Stat(at)
	if err != nil {
		return linkError(at, err)
	}
	if !info.IsDir() {
		return c.add(at, key, info)
	}
	if filepath.Base(at) == stateFolder {
		return nil
	}
	return c.folder(at, path.Join(key, filepath.Base(at)), info)
}

func (c *collector) add(at, key string, info fs.FileInfo) error {
	if !info.Mode().IsRegular() {
		return fmt.Errorf("%q is a %s; only files and folders can be imported", at, kind(info.Mode()))
	}
	name := filepath.Base(at)
	if !utf8.ValidString(name) || !utf8.ValidString(key) {
		return fmt.Errorf("the name of %q is not valid UTF-8; rename it", at)
	}
	c.files = append(c.files, File{Path: at, Key: key, Name: name})
	return nil
}

// linkError says of a link that leads nowhere what it is.
func linkError(at string, err error) error {
	if target, linkErr := os.Readlink(at); linkErr == nil && errors.Is(err, fs.ErrNotExist) {
		return fmt.Errorf("%q is a link to %q, which does not exist", at, target)
	}
	return err
}

func kind(mode fs.FileMode) string {
	switch {
	case mode.IsDir():
		return "directory"
	case mode&fs.ModeNamedPipe != 0:
		return "named pipe"
	case mode&fs.ModeSocket != 0:
		return "socket"
	case mode&fs.ModeDevice != 0:
		return "device"
	}
	return "special file"
}
