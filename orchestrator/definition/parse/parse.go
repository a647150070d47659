// Package parse reads process definitions as people write them, YAML or JSON.
//
// It says what is wrong with the form: unknown keys, wrong types, values that
// cannot be read. What is wrong with the meaning, [definition.Check] says. Any
// bytes at all may be given: a document is refused, never a reason to panic,
// and time and memory are bounded, aliases included: 4 MiB and 400,000 values.
package parse

import (
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path"
	"path/filepath"
	"strings"

	"github.com/deedrun/deed/orchestrator/definition"
)

// MaxFaults is how many faults are listed; of more a last one tells.
const MaxFaults = 1_000

// The other bounds of a document.
const (
	maxBytes   = 4 << 20
	maxValues  = 400_000 // keys, elements and lines
	maxAliased = 100_000 // keys and values that aliases stand for
)

// File reads the definition at path and those that it names, and checks that the
// files they list exist. The error is about reading; what is wrong with the
// definition are faults, in the order of the file.
//
// The source is never nil without an error: after faults it holds what could
// be read, so that Check finds the rest of what is wrong. Only a source without
// faults may be resolved.
func File(path string) (*definition.Source, []definition.Fault, error) {
	f, err := os.Open(path)
	if err != nil {
		return nil, nil, fmt.Errorf("read definition: %w", err)
	}
	defer f.Close()
	data, err := io.ReadAll(io.LimitReader(f, maxBytes+1))
	if err != nil {
		return nil, nil, fmt.Errorf("read definition: %w", err)
	}
	src, faults := Bytes(path, data)
	if len(src.Files) == 0 && !namesOthers(src) {
		return src, faults, nil
	}
	folder, err := os.OpenRoot(filepath.Dir(path))
	if err != nil {
		return nil, nil, fmt.Errorf("look for the files of definition %q: %w", path, err)
	}
	defer folder.Close()
	faults = append(faults, named(src, filepath.Base(path), folderOf(folder, filepath.Dir(path)))...)
	for _, part := range src.Definitions() {
		faults = append(faults, missingFiles(part, folder.FS())...)
	}
	definition.SortFaults(faults)
	return src, faults, nil
}

// Bytes reads a definition. The name stands in the positions of faults; one
// that ends in .json is read as JSON, everything else as YAML.
func Bytes(name string, data []byte) (*definition.Source, []definition.Fault) {
	start := definition.Pos{File: name, Line: 1, Column: 1}
	decode := decodeYAML
	if strings.EqualFold(filepath.Ext(name), ".json") {
		decode = decodeJSON
	}
	root, walk, refused := admit(data, decode)
	r := &reader{src: &definition.Source{Pos: start}, walk: walk}
	if refused == nil {
		r.process(root)
		if r.walk == 0 {
			refused = tooMany()
		}
	}
	if refused != nil {
		refused.File = name
		return &definition.Source{Pos: start, Partial: true}, []definition.Fault{*refused}
	}
	definition.SortFaults(r.faults)
	return r.src, r.faults
}

// missingFiles finds which of the files that the source lists are not there, in
// the folder of the outermost definition. Badly written paths are left to Check.
func missingFiles(src *definition.Source, folder fs.FS) []definition.Fault {
	var faults []definition.Fault
	seen := map[string]bool{}
	for _, f := range src.Files {
		if seen[f.Value] || !definition.ValidFile(f.Value) {
			continue
		}
		seen[f.Value] = true
		fault := definition.Fault{Pos: f.Pos, Code: "missing-file"}
		switch info, err := fs.Stat(folder, path.Join(src.Folder, f.Value)); {
		case err != nil:
			fault.Message = fmt.Sprintf("file %s %s", quote(f.Value), reason(err))
			fault.Hint = "files are looked for in the folder of the definition"
		case !info.Mode().IsRegular():
			fault.Message = fmt.Sprintf("file %s is a folder or a device", quote(f.Value))
			fault.Hint = "list files one by one"
		default:
			continue
		}
		faults = append(faults, fault)
	}
	return faults
}

// reason is an error of the file system without the path, which the message has.
func reason(err error) string {
	if errors.Is(err, fs.ErrNotExist) {
		return "does not exist"
	}
	if at := (*fs.PathError)(nil); errors.As(err, &at) {
		err = at.Err
	}
	return "cannot be read: " + err.Error()
}
