package parse

import (
	"errors"
	"fmt"
	"io"
	"os"
	"path"
	"path/filepath"
	"strings"

	"github.com/deedrun/deed/orchestrator/definition"
)

// Texts reads a definition from its text, and those that it names from theirs,
// which are given by their paths. One that is not given, Check tells of.
func Texts(name string, data []byte, texts map[string]string) (*definition.Source, []definition.Fault) {
	src, faults := Bytes(name, data)
	faults = append(faults, named(src, "", func(file string) (shown string, data []byte, err error) {
		text, given := texts[file]
		if !given {
			return "", nil, errNotGiven
		}
		return file, []byte(text), nil
	})...)
	definition.SortFaults(faults)
	return src, faults
}

var errNotGiven = errors.New("it was not given")

// open reads a definition by its path from the folder of the outermost one; shown
// is what people call it.
type open func(file string) (shown string, data []byte, err error)

// folderOf reads definitions in a folder, and nothing outside of it.
func folderOf(folder *os.Root, dir string) open {
	return func(file string) (shown string, data []byte, err error) {
		f, err := folder.Open(filepath.FromSlash(file))
		if err != nil {
			return "", nil, err
		}
		defer f.Close()
		data, err = io.ReadAll(io.LimitReader(f, maxBytes+1))
		return filepath.Join(dir, filepath.FromSlash(file)), data, err
	}
}

// inFile visits the nodes of one file, each with its address.
func inFile(nodes []*definition.Node, above string, visit func(address string, n *definition.Node)) {
	for _, n := range nodes {
		visit(above+n.Name.Value, n)
		inFile(n.Steps, above+n.Name.Value+"/", visit)
	}
}

// namesOthers reports whether the source names other definitions.
func namesOthers(src *definition.Source) bool {
	found := false
	inFile(src.Steps, "", func(_ string, n *definition.Node) { found = found || n.Process.Given() })
	return found
}

// named reads the definitions that the source names, and that these name, each once.
func named(src *definition.Source, file string, read open) []definition.Fault {
	l := &loader{read: read, known: map[string]*definition.Source{}, left: maxBytes}
	l.follow(src, []string{file})
	return l.faults
}

type loader struct {
	read   open
	known  map[string]*definition.Source
	left   int // bytes that may still be read
	faults []definition.Fault
}

// follow reads what one definition names; way is the files that led to it.
func (l *loader) follow(src *definition.Source, way []string) {
	inFile(src.Steps, "", func(address string, n *definition.Node) {
		if n.Process.Given() && n.Defined == nil && definition.ValidFile(n.Process.Value) && len(l.faults) < MaxFaults {
			l.define(src, address, n, way)
		}
	})
}

func (l *loader) define(src *definition.Source, address string, n *definition.Node, way []string) {
	file := path.Join(src.Folder, n.Process.Value)
	refuse := func(code, hint, format string, args ...any) {
		n.Partial = true
		l.faults = append(l.faults, definition.Fault{Pos: n.Process.Pos, Address: address, Code: code, Hint: hint, Message: fmt.Sprintf(format, args...)})
	}
	for i, before := range way {
		if before == file {
			refuse("process-cycle", "a definition cannot be its own child; to do something again and again write repeat:",
				"cycle of definitions: %s", clipped(append(append([]string{}, way[i:]...), file)))
			return
		}
	}
	if len(way) > definition.MaxDepth {
		refuse("too-deep", "nest less", "children are nested more than %d deep", definition.MaxDepth)
		return
	}
	if child := l.known[file]; child != nil {
		n.Defined = child
		return
	}
	shown, data, err := l.read(file)
	switch {
	case errors.Is(err, errNotGiven):
		return // as Check says
	case err != nil:
		refuse("missing-file", "definitions are looked for in the folder of the one that names them", "definition %s %s", quote(n.Process.Value), reason(err))
		return
	case len(data) > l.left:
		refuse("too-large", "", "the definitions are larger than %d MiB together", maxBytes>>20)
		return
	}
	l.left -= len(data)
	child, faults := Bytes(shown, data)
	if child.Folder = path.Dir(file); child.Folder == "." {
		child.Folder = ""
	}
	l.known[file], n.Defined = child, child
	l.faults = append(l.faults, faults...)
	l.follow(child, append(way[:len(way):len(way)], file))
}

// clipped writes the way of a cycle, of which only the ends are told if it is long.
func clipped(way []string) string {
	const most = 10
	if len(way) > most {
		way = append(append([]string{}, way[:most/2]...), append([]string{"…"}, way[len(way)-most/2:]...)...)
	}
	return strings.Join(way, " → ")
}
