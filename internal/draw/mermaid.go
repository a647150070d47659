package draw

import (
	"fmt"
	"strings"

	"github.com/deedrun/deed/orchestrator/definition"
)

// Mermaid is the picture in the language of Mermaid, which many web pages and
// code hosts draw.
func Mermaid(d definition.Definition) []byte {
	g := graphOf(d)
	var b strings.Builder
	b.WriteString("flowchart TD\n")
	g.nested(func(at, depth int, opens bool) {
		indent := strings.Repeat("  ", depth+1)
		if !opens {
			b.WriteString(indent + "end\n")
			return
		}
		fmt.Fprintf(&b, "%ssubgraph %s [%s]\n", indent, g.Groups[at].ID, mermaidQuote(g.Groups[at].title()))
	}, func(at, depth int) {
		n := g.Nodes[at]
		left, right := "[", "]"
		switch {
		case n.Kind != step:
			left, right = "([", "])"
		case n.Each != "":
			left, right = "[[", "]]"
		}
		fmt.Fprintf(&b, "%s%s%s%s%s\n", strings.Repeat("  ", depth+1), n.ID, left, mermaidQuote(n.lines()...), right)
	})
	for _, e := range g.Edges {
		switch label := g.label(e); {
		case e.After:
			fmt.Fprintf(&b, "  %s -.-> %s\n", e.From, e.To)
		case label == "":
			fmt.Fprintf(&b, "  %s --> %s\n", e.From, e.To)
		default:
			fmt.Fprintf(&b, "  %s -->|%s| %s\n", e.From, mermaidQuote(label), e.To)
		}
	}
	return []byte(b.String())
}

// mermaidQuote writes characters with a meaning of their own as entities.
func mermaidQuote(lines ...string) string {
	safe := strings.NewReplacer("#", "#35;", `"`, "#quot;", "&", "#amp;", "<", "#lt;", ">", "#gt;", "`", "#96;", `\`, "#92;")
	quoted := make([]string, len(lines))
	for i, line := range lines {
		quoted[i] = safe.Replace(clip(line, len(line)))
	}
	return `"` + strings.Join(quoted, "<br/>") + `"`
}
