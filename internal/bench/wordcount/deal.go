package wordcount

import (
	"cmp"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
)

// Deal copies the files below a folder into so many texts of about the same size,
// each of which is several files one after the other.
func Deal(from, to string, texts int) error {
	files, err := filesBelow(from)
	if err != nil {
		return fmt.Errorf("look for files to count: %w: name a folder", err)
	}
	if len(files) < texts {
		return fmt.Errorf("there are %d files below %q, too few for %d texts: name another folder, or make fewer texts", len(files), from, texts)
	}
	// The largest first, each to the text that has least yet.
	slices.SortStableFunc(files, func(a, b source) int { return cmp.Compare(b.size, a.size) })
	dealt := make([][]source, texts)
	sizes := make([]int64, texts)
	for _, f := range files {
		least := slices.Index(sizes, slices.Min(sizes))
		dealt[least] = append(dealt[least], f)
		sizes[least] += f.size
	}
	for n, of := range dealt {
		if err := join(filepath.Join(to, textName(n)), of); err != nil {
			return err
		}
	}
	return nil
}

// source is a file to be dealt out.
type source struct {
	path string
	size int64
}

func filesBelow(dir string) ([]source, error) {
	var files []source
	err := filepath.WalkDir(dir, func(path string, d fs.DirEntry, err error) error {
		if err != nil || !d.Type().IsRegular() {
			return err
		}
		info, err := d.Info()
		if err == nil {
			files = append(files, source{path, info.Size()})
		}
		return err
	})
	return files, err
}

// join writes files into one, with a line's end after each, so that no word
// comes of two of them.
func join(path string, files []source) (err error) {
	to, err := os.Create(path)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, to.Close()) }()
	for _, f := range files {
		if err := appendFile(to, f.path); err != nil {
			return err
		}
	}
	return nil
}

func appendFile(to *os.File, path string) error {
	from, err := os.Open(path)
	if err != nil {
		return err
	}
	defer from.Close()
	if _, err := io.Copy(to, from); err != nil {
		return err
	}
	_, err = to.WriteString("\n")
	return err
}
