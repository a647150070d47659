package draw_test

import (
	"bytes"
	"encoding/json"
	"encoding/xml"
	"errors"
	"flag"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/deedrun/deed/internal/draw"
	"github.com/deedrun/deed/orchestrator/definition"
	"github.com/deedrun/deed/task"
)

var update = flag.Bool("update", false, "write the golden files anew")

func bind(names ...string) []definition.Binding {
	var all []definition.Binding
	for _, n := range names {
		all = append(all, definition.Binding{Local: n, Data: n})
	}
	return all
}

func over(name string, into int) *definition.Each {
	return &definition.Each{Binding: bind(name)[0], ByKey: into > 0, Into: into}
}

func handler(name string) task.Run { return task.Run{Handler: name} }

var wordCount = definition.Definition{
	Name: "word-count", Inputs: []string{"corpus"}, Outputs: []string{"counts", "top"},
	Steps: []definition.Step{
		{Address: "count", Run: handler("words/count"), Each: over("corpus", 0), Out: definition.Outputs(bind("partial")...)},
		{Address: "merge", Run: handler("words/merge"), Each: over("partial", 8), Out: definition.Outputs(bind("totals")...)},
		{Address: "top", Run: handler("words/top"), In: bind("totals"), Out: definition.Outputs(bind("counts", "top")...)},
	},
}

var groups = definition.Definition{
	Name: "groups", Inputs: []string{"photos", "mark"}, Outputs: []string{"book", "problems"},
	Steps: []definition.Step{
		{Address: "resize", Run: task.Run{Command: []string{"python3", "resize.py"}}, Each: over("photos", 0), In: bind("mark"), Out: definition.Outputs(bind("thumbs")...)},
		{Address: "sheets/collect", Run: handler("collect"), Each: over("thumbs", 16), In: bind("mark"), Out: definition.Outputs(bind("pages", "index")...)},
		{Address: "sheets/bind/cover", Run: task.Run{Shell: "convert \\\n  cover.png"}, Out: definition.Outputs(bind("cover")...)},
		{Address: "sheets/bind/book", Run: handler("bind"), In: bind("cover", "pages"), Out: definition.Outputs(bind("book")...)},
		{Address: "sheets/check", Run: handler("check"), In: bind("book", "index"), Out: definition.Outputs(bind("problems")...)},
		{Address: "announce", Run: handler("announce"), In: bind("problems"), After: []string{"sheets/bind/cover", "sheets/check"}},
	},
}

var forms = map[string]func(definition.Definition) []byte{
	"svg": draw.SVG, "dot": draw.DOT, "mmd": draw.Mermaid, "json": draw.JSON,
}

func TestPicturesAreTheseBytes(t *testing.T) {
	for _, d := range []definition.Definition{wordCount, groups, children} {
		for ext, form := range forms {
			t.Run(d.Name+"."+ext, func(t *testing.T) {
				got := form(d)
				golden := filepath.Join("testdata", d.Name+"."+ext)
				if *update {
					require.NoError(t, os.MkdirAll("testdata", 0o755))
					require.NoError(t, os.WriteFile(golden, got, 0o644))
				}
				want, err := os.ReadFile(golden)
				require.NoError(t, err)
				assert.Equal(t, string(want), string(got))
			})
		}
	}
}

// children has a process each photo, a definition of its own each album, and rounds.
var children = definition.Definition{
	Name: "children", Inputs: []string{"photos", "mark"}, Outputs: []string{"sheets", "rows"},
	Steps: []definition.Step{
		{
			Address: "album", Each: over("photos", 0), In: []definition.Binding{{Local: "frame", Data: "mark"}},
			Out: []definition.Output{{Binding: definition.Binding{Local: "sheet", Data: "sheets"}}},
			Process: &definition.Definition{
				Name: "album", Inputs: []string{"photos", "frame"}, Outputs: []string{"sheet"},
				Steps: []definition.Step{
					{Address: "shrink", Run: handler("shrink"), Each: over("photos", 0), Out: definition.Outputs(bind("small")...)},
					{Address: "sheet", Run: handler("sheet"), In: bind("small", "frame"), Out: definition.Outputs(bind("sheet")...)},
				},
			},
		},
		{
			Address: "g/pages", In: bind("sheets"), Out: definition.Outputs(bind("rows")...), After: []string{"album"},
			When: &definition.Condition{Text: "count(sheets) > 0", Expr: definition.Expr{Op: definition.OpCount, Name: "sheets"}},
			Process: &definition.Definition{
				Inputs: []string{"sheets", "cursor"}, Outputs: []string{"rows", "next"},
				Steps: []definition.Step{{Address: "page", Run: handler("page"), In: bind("cursor", "sheets"), Out: definition.Outputs(bind("rows", "next")...)}},
			},
			Repeat: &definition.Repeat{Carry: map[string]string{"cursor": "next"}, Collect: []string{"rows"}, Max: 3},
		},
	},
}

// hostile holds texts that mean something to each of the languages.
var hostile = definition.Definition{
	Name:   `</title><script>alert(1)</script>"]]>`,
	Inputs: []string{"a\x00b\xff", `"; } digraph {`},
	Steps: []definition.Step{
		{Address: `x"]/y<z>`, Run: task.Run{Command: []string{"a\nb", `"\`, "]]>", "`end`"}}, In: bind("a\x00b\xff", `"; } digraph {`), Out: definition.Outputs(bind("#<&>|")...)},
		{Address: "loop", Run: handler(strings.Repeat("wörd", 100)), In: bind("#<&>|", "round"), Out: definition.Outputs(bind("round")...)},
		{Address: "loop", Run: handler("twice")},
		{Address: "g/a", In: bind("q"), Out: definition.Outputs(bind("p")...)},
		{Address: "between", In: bind("p"), Out: definition.Outputs(bind("q")...)},
		{Address: "lost", In: bind("nobody"), After: []string{"nowhere", "lost"}},
	},
	Outputs: []string{"#<&>|", "unwritten"},
}

func TestAnyDefinitionIsDrawn(t *testing.T) {
	for name, d := range map[string]definition.Definition{"nothing at all": {}, "hostile texts and cycles": hostile, "word count": wordCount, "groups": groups, "children": children} {
		t.Run(name, func(t *testing.T) {
			svg := draw.SVG(d)
			assert.NotContains(t, string(svg), "<script>")
			readXML(t, svg, func(xml.StartElement) {})
			assert.True(t, json.Valid(draw.JSON(d)))
			for _, line := range strings.Split(string(draw.DOT(d)), "\n") {
				quotes := strings.Count(strings.ReplaceAll(line, `\\`, ""), `"`) - strings.Count(strings.ReplaceAll(line, `\\`, ""), `\"`)
				assert.Zero(t, quotes%2, line)
			}
			for _, form := range forms {
				assert.Equal(t, form(d), form(d))
			}
		})
	}
}

func TestTheJSONTellsWhereEdgesLead(t *testing.T) {
	var got struct {
		Nodes []struct{ ID, Kind, Name, Group, Each string }
		Edges []struct {
			From, To string
			Data     []string
			After    bool
		}
		Groups []struct{ ID, Name, Group string }
	}
	require.NoError(t, json.Unmarshal(draw.JSON(groups), &got))
	name := map[string]string{}
	for _, n := range got.Nodes {
		name[n.ID] = n.Name
	}
	var lines []string
	for _, e := range got.Edges {
		lines = append(lines, fmt.Sprint(name[e.From], " ", e.Data, e.After, " ", name[e.To]))
	}
	assert.Contains(t, lines, "resize [thumbs] false sheets/collect")
	assert.Contains(t, lines, "sheets/bind/cover [] true announce")
	assert.NotContains(t, lines, "sheets/check [] true announce", "data orders them already")
	require.Len(t, got.Groups, 2)
	assert.Equal(t, "sheets/bind", got.Groups[1].Name)
	assert.Equal(t, got.Groups[0].ID, got.Groups[1].Group)
}

type box struct{ left, top, right, bottom float64 }

func TestBoxesNeverOverlapAndStandInsideTheirFrames(t *testing.T) {
	for _, d := range []definition.Definition{wordCount, groups, children, many(40, 3), many(120, 7)} {
		t.Run(fmt.Sprintf("%s of %d steps", d.Name, len(d.Steps)), func(t *testing.T) {
			boxes, frames := map[string]box{}, map[string]box{}
			var kind, address string
			readXML(t, draw.SVG(d), func(e xml.StartElement) {
				at := map[string]string{}
				for _, a := range e.Attr {
					at[a.Name.Local] = a.Value
				}
				switch {
				case e.Name.Local == "g":
					kind, address = at["class"], at["data-address"]
				case e.Name.Local == "rect" && strings.HasPrefix(kind, "node"):
					b := rectangle(t, at)
					if old, ok := boxes[kind+address]; ok { // a stack
						b = box{min(b.left, old.left), min(b.top, old.top), max(b.right, old.right), max(b.bottom, old.bottom)}
					}
					boxes[kind+address] = b
				case e.Name.Local == "rect" && strings.HasPrefix(kind, "frame"):
					frames[address] = rectangle(t, at)
				}
			})
			require.Len(t, boxes, stepsIn(d)+len(d.Inputs)+len(d.Outputs))
			for a, p := range boxes {
				for b, q := range boxes {
					if a != b {
						assert.False(t, p.left < q.right && q.left < p.right && p.top < q.bottom && q.top < p.bottom, "%s and %s", a, b)
					}
				}
				for name, f := range frames {
					within := p.left >= f.left && p.right <= f.right && p.top >= f.top && p.bottom <= f.bottom
					outside := p.left >= f.right || p.right <= f.left || p.top >= f.bottom || p.bottom <= f.top
					if strings.HasPrefix(a, "node step"+name+"/") {
						assert.True(t, within, "%s in %s", a, name)
					} else {
						assert.True(t, outside, "%s out of %s", a, name)
					}
				}
			}
		})
	}
}

// stepsIn counts the steps that have a box: of a child those inside.
func stepsIn(d definition.Definition) int {
	n := 0
	for _, s := range d.Steps {
		if s.Process == nil {
			n++
		} else {
			n += stepsIn(*s.Process)
		}
	}
	return n
}

func TestTenThousandStepsAreDrawn(t *testing.T) {
	assert.NotEmpty(t, draw.SVG(many(10_000, 9_000)))
}

// many is a definition of n steps in groups of ten, each of which reads the
// last name and one written about reach steps before.
func many(n, reach int) definition.Definition {
	d := definition.Definition{Name: "many", Inputs: []string{"d0"}, Outputs: []string{fmt.Sprint("d", n)}}
	for i := range n {
		s := definition.Step{Address: fmt.Sprintf("g%d/s%d", i/10, i), Run: handler("work"), In: bind(fmt.Sprint("d", i)), Out: definition.Outputs(bind(fmt.Sprint("d", i+1))...)}
		if back := i - i%reach; back != i {
			s.In = append(s.In, bind(fmt.Sprint("d", back))...)
		}
		if i%4 == 0 {
			s.Each, s.In = over(s.In[0].Data, i%3), s.In[1:]
		}
		d.Steps = append(d.Steps, s)
	}
	return d
}

func rectangle(t *testing.T, at map[string]string) box {
	t.Helper()
	number := func(name string) float64 {
		v, err := strconv.ParseFloat(at[name], 64)
		require.NoError(t, err)
		return v
	}
	b := box{left: number("x"), top: number("y")}
	b.right, b.bottom = b.left+number("width"), b.top+number("height")
	return b
}

func readXML(t *testing.T, svg []byte, visit func(xml.StartElement)) {
	t.Helper()
	d := xml.NewDecoder(bytes.NewReader(svg))
	for {
		token, err := d.Token()
		if errors.Is(err, io.EOF) {
			return
		}
		require.NoError(t, err)
		if e, ok := token.(xml.StartElement); ok {
			visit(e)
		}
	}
}

func TestAChildIsAFrameWhoseStepsReadFromAround(t *testing.T) {
	var got struct {
		Nodes []struct{ ID, Name string }
		Edges []struct {
			From, To string
			Data     []string
			After    bool
		}
		Groups []struct {
			Name, Each, When string
			Child            bool
		}
	}
	require.NoError(t, json.Unmarshal(draw.JSON(children), &got))
	names := map[string]string{}
	for _, n := range got.Nodes {
		names[n.ID] = n.Name
	}
	var edges []string
	for _, e := range got.Edges {
		edges = append(edges, names[e.From]+" > "+names[e.To]+" "+strings.Join(e.Data, " "))
	}
	assert.ElementsMatch(t, []string{
		"photos > album/shrink photos", "album/shrink > album/sheet small", "mark > album/sheet frame",
		"album/sheet > g/pages/page sheets", "album/sheet > sheets sheets", "g/pages/page > rows rows",
	}, edges)
	require.Len(t, got.Groups, 3)
	assert.Equal(t, "each photos", got.Groups[0].Each)
	assert.True(t, got.Groups[0].Child)
	assert.False(t, got.Groups[1].Child)
	assert.Equal(t, "repeat 3 times, carry cursor", got.Groups[2].Each)
	assert.Equal(t, "when count(sheets) > 0", got.Groups[2].When)
}

// An old history may have what would be refused today.
func TestOfTwoStepsWithOneAddressAndOfTwoWritersTheFirstIsDrawn(t *testing.T) {
	picture := func(steps ...definition.Step) string {
		return string(draw.JSON(definition.Definition{Name: "old", Inputs: []string{"in", "other"}, Outputs: []string{"x"}, Steps: steps}))
	}
	first := definition.Step{Address: "a", Run: handler("a"), In: bind("in"), Out: definition.Outputs(bind("x")...)}
	again := definition.Step{Address: "a", Run: handler("b"), In: bind("other"), Out: definition.Outputs(bind("y")...)}
	reader := definition.Step{Address: "r", Run: handler("r"), In: bind("x", "y"), After: []string{"a"}}
	got := picture(first, again, reader)
	assert.Equal(t, 1, strings.Count(got, `"name": "a"`), got)
	assert.NotContains(t, got, `"y"`, "who would have written it is not there")

	second := definition.Step{Address: "c", Run: handler("c"), Out: first.Out}
	assert.Equal(t, picture(first, definition.Step{Address: "c", Run: handler("c")}, reader), picture(first, second, reader))
}
