package deed

import (
	"context"
	"crypto/rand"
	"fmt"
	"io"
	"os"
	"path"
	"path/filepath"
	"strings"

	"github.com/deedrun/deed/task"
)

// Export writes the outputs of a process to a directory and returns the paths.
// A name that a single-task step wrote as one part is the file DIR/NAME, any
// other DIR/NAME/[KEY/]FILE, where FILE is the part's own name or else its
// number. A file that is there is replaced when the new one is complete.
func (r *Result) Export(ctx context.Context, dir string) ([]string, error) {
	if err := os.MkdirAll(dir, 0o777); err != nil {
		return nil, fmt.Errorf("write outputs: %w", err)
	}
	root, err := os.OpenRoot(dir) // nothing leaves it, whatever keys and names say
	if err != nil {
		return nil, fmt.Errorf("write outputs: %w", err)
	}
	defer root.Close()
	var paths []string
	for _, name := range r.State.Definition.Outputs {
		written, err := r.exportName(ctx, root, name)
		for _, p := range written {
			paths = append(paths, filepath.Join(dir, filepath.FromSlash(p)))
		}
		if err != nil {
			return paths, fmt.Errorf("write output %s: %w", name, err)
		}
	}
	return paths, nil
}

func (r *Result) exportName(ctx context.Context, root *os.Root, name string) ([]string, error) {
	data, _ := r.State.Data(name)
	single := data.Count == 1 && r.wroteByOneTask(name)
	taken := map[string]bool{}
	var paths []string
	number := 0
	for part, err := range r.Parts(ctx, name) {
		if err != nil {
			return paths, err
		}
		at := name
		if !single {
			at = distinct(path.Join(name, partPath(part, number)), taken, number)
		}
		if err := r.exportPart(ctx, root, at, part); err != nil {
			return paths, err
		}
		paths = append(paths, at)
		number++
	}
	return paths, nil
}

func (r *Result) wroteByOneTask(name string) bool {
	for _, s := range r.State.Definition.Steps {
		for _, out := range s.Out {
			if out.Data == name {
				return s.Each == nil
			}
		}
	}
	return false
}

func (r *Result) exportPart(ctx context.Context, root *os.Root, at string, part task.Part) (err error) {
	if dir := path.Dir(at); dir != "." {
		if err := root.MkdirAll(dir, 0o777); err != nil {
			return err
		}
	}
	in, err := r.Open(ctx, part)
	if err != nil {
		return err
	}
	defer in.Close()
	next := ".deed-" + rand.Text() // no output is named so, and another run may write the same ones
	out, err := root.Create(next)
	if err != nil {
		return err
	}
	defer func() {
		if err != nil {
			_ = root.Remove(next)
		}
	}()
	if _, err := io.Copy(out, in); err != nil {
		_ = out.Close()
		return err
	}
	if err := out.Close(); err != nil {
		return err
	}
	return root.Rename(next, at)
}

// partPath is KEY/FILE of a part, with nothing in it that a file system would
// take for something else.
func partPath(p task.Part, number int) string {
	file := fmt.Sprintf("%05d", number)
	if p.Name != "" {
		file = plainName(p.Name)
	}
	segments := []string{}
	for s := range strings.SplitSeq(p.Key, "/") {
		if s != "" {
			segments = append(segments, plainName(s))
		}
	}
	return path.Join(append(segments, file)...)
}

// plainName makes a file name of any text: what is not allowed in one becomes
// %XX, and what is too long is cut.
func plainName(s string) string {
	if s == "." || s == ".." {
		return strings.ReplaceAll(s, ".", "%2E")
	}
	var b strings.Builder
	for i := range len(s) {
		if c := s[i]; c < ' ' || c == 0x7f || strings.IndexByte(`/\:*?"<>|`, c) >= 0 {
			fmt.Fprintf(&b, "%%%02X", c)
		} else {
			b.WriteByte(c)
		}
	}
	const most = 200
	if b.Len() > most {
		return strings.ToValidUTF8(b.String()[:most], "")
	}
	return b.String()
}

// distinct is the path, or, while it is taken, the path with the part's number in front of its file.
func distinct(at string, taken map[string]bool, number int) string {
	for taken[at] {
		at = path.Join(path.Dir(at), fmt.Sprintf("%05d-%s", number, path.Base(at)))
	}
	taken[at] = true
	return at
}
