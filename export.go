package deed

import (
	"context"
	"fmt"
	"path"
	"strings"

	"github.com/deedrun/deed/task"
)

// Export writes the outputs of a process to a directory, or to a folder of a bucket
// at a URL such as s3://bucket/results/, and returns the paths, or the URLs. A name
// that a single-task step wrote as one part is the file WHERE/NAME, any other
// WHERE/NAME/[KEY/]FILE, where FILE is the part's own name or else its number. What
// is there under such a name is replaced when the new one is complete; all else that
// is there stays.
func (r *Result) Export(ctx context.Context, where string) ([]string, error) {
	to, err := openDestination(ctx, where)
	if err != nil {
		return nil, fmt.Errorf("write outputs: %w", err)
	}
	defer to.close()
	var paths []string
	for _, name := range r.State.Definition.Outputs {
		written, err := r.exportName(ctx, to, name)
		for _, p := range written {
			paths = append(paths, to.path(p))
		}
		if err != nil {
			return paths, fmt.Errorf("write output %s: %w", name, err)
		}
	}
	return paths, nil
}

func (r *Result) exportName(ctx context.Context, to destination, name string) ([]string, error) {
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
		if err := r.exportPart(ctx, to, at, part); err != nil {
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

func (r *Result) exportPart(ctx context.Context, to destination, at string, part task.Part) error {
	in, err := r.Open(ctx, part)
	if err != nil {
		return err
	}
	defer in.Close()
	return to.put(ctx, at, in)
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
