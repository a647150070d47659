package arch

import (
	"cmp"
	"fmt"
	"go/ast"
	"go/parser"
	"go/token"
	"io/fs"
	"os"
	"path"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

const module = "github.com/deedrun/deed"

func TestEveryPackageImportsOnlyWhatItsRoomMay(t *testing.T) {
	for _, f := range files(t) {
		for _, fault := range f.check() {
			t.Error(fault)
		}
	}
}

func TestEveryPackageHasOneCommentThatSaysWhatItIs(t *testing.T) {
	comments := map[string]int{}
	for _, f := range files(t) {
		dir := path.Dir(f.name)
		comments[dir] += 0
		if f.syntax.Doc == nil {
			continue
		}
		comments[dir]++
		want := "Package " + f.syntax.Name.Name + " "
		if f.syntax.Name.Name == "main" {
			want = "Command " + path.Base(dir) + " "
		}
		assert.True(t, strings.HasPrefix(f.syntax.Doc.Text(), want), "%s: the package comment should begin with %q", f.name, want)
	}
	for dir, n := range comments {
		assert.Equal(t, 1, n, "package %q: want a package comment in one file", dir)
	}
}

func TestEveryLineOfTheTableHasAPackage(t *testing.T) {
	used := map[string]bool{}
	for _, f := range files(t) {
		if r, ok := roomOf(path.Dir(f.name)); ok {
			used[r.path] = true
		}
	}
	for _, r := range rooms {
		assert.True(t, used[r.path], "the table has a line for %q, but there is no such package: remove the line", r.path)
	}
}

func TestTheRulesCatchWhatTheyForbid(t *testing.T) {
	for name, c := range map[string]struct{ file, source, want string }{
		"a worker that imports the core":                {"worker/x.go", `import "github.com/deedrun/deed/orchestrator/process"`, `may not import "orchestrator/process"`},
		"a store that imports the other seam":           {"events/x.go", `import "github.com/deedrun/deed/queue"`, `may not import "queue"`},
		"a backend that imports another's client":       {"events/mem/x.go", `import "github.com/nats-io/nats.go"`, `may not import "github.com/nats-io/nats.go"`},
		"a cloud driver in the root package":            {"x.go", `import _ "gocloud.dev/blob/s3blob"`, `may not import "gocloud.dev/blob/s3blob"`},
		"an orchestrator that opens data":               {"orchestrator/owner.go", `import "github.com/deedrun/deed/blob"`, `may not import "blob" but in "snapshot*.go views*.go archive*.go reuse*.go"`},
		"a YAML parser in the definition":               {"orchestrator/definition/x.go", `import "go.yaml.in/yaml/v3"`, `may not import "go.yaml.in/yaml/v3"`},
		"a contract that does IO":                       {"task/x.go", `import "os"`, `may not import "os": it is pure`},
		"a random source in the core":                   {"orchestrator/process/x.go", `import "math/rand/v2"`, `may not import "math/rand/v2": it is pure`},
		"a clock in the core":                           {"orchestrator/process/x.go", "import \"time\"\nvar started = time.Now()", "may not use time.Now"},
		"a clock under another name":                    {"orchestrator/process/x.go", "import clock \"time\"\nvar now = clock.Now", "may not use time.Now"},
		"a clock without a name":                        {"orchestrator/process/x.go", "import . \"time\"\nvar now = Now", "may not dot-import \"time\""},
		"a core that prints":                            {"task/x.go", "import \"fmt\"\nfunc f() { fmt.Println() }", "may not use fmt.Println"},
		"a package that nobody decided about":           {"strange/x.go", ``, "has no line in the table"},
		"an example that reaches into the orchestrator": {"examples/a/x.go", `import "github.com/deedrun/deed/orchestrator"`, `may not import "orchestrator"`},
	} {
		t.Run(name, func(t *testing.T) {
			f, err := read(c.file, "package x\n"+c.source)
			require.NoError(t, err)
			assert.Contains(t, strings.Join(f.check(), "\n"), c.want)
		})
	}
	t.Run("what is allowed passes", func(t *testing.T) {
		for file, source := range map[string]string{
			"orchestrator/snapshot_store.go": `import "github.com/deedrun/deed/blob"`,
			"cmd/deed/drivers.go":            `import _ "gocloud.dev/blob/s3blob"`,
			"orchestrator/process/x.go":      "import \"time\"\nfunc f(at time.Time) time.Time { return at.Add(time.Second) }",
			"orchestrator/definition/x.go":   "import \"io/fs\"\nvar ok = fs.ValidPath",
		} {
			f, err := read(file, "package x\n"+source)
			require.NoError(t, err)
			assert.Empty(t, f.check())
		}
	})
}

// file is a source file; its name is relative to the module, with slashes.
type file struct {
	name   string
	fset   *token.FileSet
	syntax *ast.File
}

func read(name string, source any) (file, error) {
	fset := token.NewFileSet()
	syntax, err := parser.ParseFile(fset, name, source, parser.ParseComments|parser.SkipObjectResolution)
	return file{name, fset, syntax}, err
}

// files are all source files of the module but tests.
func files(t *testing.T) []file {
	root := os.DirFS(filepath.Join("..", ".."))
	var found []file
	err := fs.WalkDir(root, ".", func(name string, d fs.DirEntry, err error) error {
		switch {
		case err != nil:
			return err
		case d.IsDir() && name != "." && (strings.HasPrefix(d.Name(), ".") || strings.HasPrefix(d.Name(), "_") || d.Name() == "testdata"):
			return fs.SkipDir
		case d.IsDir() || !strings.HasSuffix(name, ".go") || strings.HasSuffix(name, "_test.go"):
			return nil
		}
		source, err := fs.ReadFile(root, name)
		if err != nil {
			return err
		}
		f, err := read(name, source)
		found = append(found, f)
		return err
	})
	require.NoError(t, err)
	require.NotEmpty(t, found)
	return found
}

// roomOf finds the line for a package, preferring the longest path.
func roomOf(dir string) (room, bool) {
	var fitting []room
	for _, r := range rooms {
		if matches(r.path, dir) {
			fitting = append(fitting, r)
		}
	}
	if len(fitting) == 0 {
		return room{}, false
	}
	return slices.MaxFunc(fitting, func(a, b room) int { return cmp.Compare(len(a.path), len(b.path)) }), true
}

func matches(pattern, dir string) bool {
	if below, all := strings.CutSuffix(pattern, "..."); all {
		return strings.HasPrefix(dir+"/", below)
	}
	return pattern == dir
}

// check lists what the file does that its room may not.
func (f file) check() []string {
	dir := path.Dir(f.name)
	r, ok := roomOf(dir)
	if !ok {
		return []string{fmt.Sprintf("%s: package %q has no line in the table of internal/arch: decide what it may import and add one", f.name, dir)}
	}
	var faults []string
	report := func(at ast.Node, format string, args ...any) {
		faults = append(faults, fmt.Sprintf("%s: package %q ", f.fset.Position(at.Pos()), dir)+fmt.Sprintf(format, args...))
	}
	names := map[string]string{} // of imports in this file
	for _, spec := range f.syntax.Imports {
		imported, err := strconv.Unquote(spec.Path.Value)
		if err != nil {
			report(spec, "imports %s, which is no path", spec.Path.Value)
			continue
		}
		names[localName(spec, imported)] = imported
		if r.pure && spec.Name != nil && spec.Name.Name == "." {
			report(spec, "may not dot-import %q: it is pure, and this hides what it uses", imported)
		}
		if !strings.Contains(strings.SplitN(imported, "/", 2)[0], ".") {
			if r.pure && !slices.Contains(pureStd, imported) {
				report(spec, "may not import %q: it is pure; IO, clocks and randomness come from the outside, as data", imported)
			}
			continue
		}
		short := imported
		if imported == module {
			short = "."
		} else if inside, ok := strings.CutPrefix(imported, module+"/"); ok {
			short = inside
		}
		named := func(pattern string) bool { return matches(pattern, short) }
		if slices.ContainsFunc(r.never, named) || !slices.ContainsFunc(r.may, named) {
			report(spec, "may not import %q; it may import: %s", short, cmp.Or(strings.Join(r.may, ", "), "only the standard library"))
		}
		if patterns, limited := r.only[short]; limited {
			fits := func(pattern string) bool { ok, _ := path.Match(pattern, path.Base(f.name)); return ok }
			if !slices.ContainsFunc(strings.Fields(patterns), fits) {
				report(spec, "may not import %q but in %q", short, patterns)
			}
		}
	}
	if !r.pure {
		return faults
	}
	ast.Inspect(f.syntax, func(n ast.Node) bool {
		if s, ok := n.(*ast.SelectorExpr); ok {
			if x, ok := s.X.(*ast.Ident); ok && impure(names[x.Name], s.Sel.Name) {
				report(s, "may not use %s.%s: it is pure; time and chance come from the outside, as data", names[x.Name], s.Sel.Name)
			}
		}
		return true
	})
	return faults
}

func localName(spec *ast.ImportSpec, imported string) string {
	if spec.Name != nil {
		return spec.Name.Name
	}
	return path.Base(imported)
}
