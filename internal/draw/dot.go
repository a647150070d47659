package draw

import (
	"fmt"
	"strings"

	"github.com/deedrun/deed/orchestrator/definition"
)

// DOT is the picture in the language of Graphviz.
func DOT(d definition.Definition) []byte {
	g := graphOf(d)
	var b strings.Builder
	fmt.Fprintf(&b, "digraph %s {\n", dotQuote(g.Name))
	b.WriteString("  rankdir=TB\n  node [fontname=\"Helvetica\", fontsize=11]\n  edge [fontname=\"Helvetica\", fontsize=10]\n")
	g.nested(func(at, depth int, opens bool) {
		indent := strings.Repeat("  ", depth+1)
		if !opens {
			b.WriteString(indent + "}\n")
			return
		}
		f := g.Groups[at]
		fmt.Fprintf(&b, "%ssubgraph cluster_%s {\n%s  label=%s\n%s  style=rounded\n", indent, f.ID, indent, dotQuote(f.title()), indent)
	}, func(at, depth int) {
		n := g.Nodes[at]
		shape := "shape=box"
		switch {
		case n.Kind != step:
			shape = "shape=box, style=rounded"
		case n.Each != "":
			shape = "shape=box3d"
		}
		fmt.Fprintf(&b, "%s%s [label=%s, %s]\n", strings.Repeat("  ", depth+1), n.ID, dotQuote(strings.Join(n.lines(), "\n")), shape)
	})
	for _, e := range g.Edges {
		fmt.Fprintf(&b, "  %s -> %s", e.From, e.To)
		if label := g.label(e); label != "" {
			fmt.Fprintf(&b, " [label=%s]", dotQuote(label))
		} else if e.After {
			b.WriteString(" [style=dashed]")
		}
		b.WriteString("\n")
	}
	b.WriteString("}\n")
	return []byte(b.String())
}

func dotQuote(s string) string {
	lines := strings.Split(s, "\n")
	for i, line := range lines {
		lines[i] = strings.NewReplacer(`\`, `\\`, `"`, `\"`).Replace(clip(line, len(line)))
	}
	return `"` + strings.Join(lines, `\n`) + `"`
}
