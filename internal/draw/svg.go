package draw

import (
	"fmt"
	"strings"
	"unicode/utf8"

	"github.com/deedrun/deed/orchestrator/definition"
)

// stack is how far a fan-out's boxes stand out behind each other, in all.
const stack = 8.0

// most characters of a line in a box, and of a text at an edge.
const (
	mostInBox  = 34
	mostAbove  = 60 // a frame
	mostAtEdge = 28
)

// SVG is the picture as an image that stands alone or inside a page. It adapts
// to light and dark. Steps carry data-address, so that a page can colour them.
func SVG(d definition.Definition) []byte {
	g := graphOf(d)
	root, routes := levels(g)
	root.lay(func(frame int) float64 {
		if frame < 0 {
			return 0
		}
		return textWidth(clip(g.Groups[frame].title(), mostAbove), 7.4) + 2*padding
	})
	spread := map[portKey]float64{}
	root.spread(spread)
	width, height := max(root.width, 120), max(root.height, 60)

	var b strings.Builder
	fmt.Fprintf(&b, `<svg xmlns="http://www.w3.org/2000/svg" class="deed" role="img" width="%.0f" height="%.0f" viewBox="0 0 %.0f %.0f">`+"\n", width, height, width, height)
	fmt.Fprintf(&b, "<title>%s</title>\n<style>%s</style>\n", escape(g.Name), style)
	b.WriteString(`<defs><marker id="deed-arrow" viewBox="0 0 8 8" refX="7" refY="4" markerWidth="7" markerHeight="7" orient="auto"><path class="head" d="M0 .5L8 4L0 7.5z"/></marker></defs>` + "\n")
	fmt.Fprintf(&b, `<rect class="page" width="%.0f" height="%.0f" rx="8"/>`+"\n", width, height)
	drawFrames(&b, g, root)
	drawEdges(&b, g, root, routes, spread)
	drawNodes(&b, g, root)
	b.WriteString("</svg>\n")
	return []byte(b.String())
}

const style = `
.deed{--page:#fff;--ink:#1f2328;--soft:#59636e;--line:#818b98;--box:#fff;--frame:#f6f8fa;--side:#d1d9e0;--in:#ddf4ff;--inside:#54aeff;--out:#dafbe1;--outside:#4ac26b;
font-family:system-ui,-apple-system,"Segoe UI",Roboto,"Helvetica Neue",Arial,sans-serif}
@media(prefers-color-scheme:dark){.deed{--page:#0d1117;--ink:#f0f6fc;--soft:#9198a1;--line:#7d8590;--box:#151b23;--frame:#12171e;--side:#3d444d;--in:#0c2d6b;--inside:#1f6feb;--out:#033a16;--outside:#238636}}
.deed .page{fill:var(--page)}
.deed .frame rect{fill:var(--frame);stroke:var(--side)}
.deed .frame text{fill:var(--soft);font-size:12px;font-weight:600}
.deed .step rect{fill:var(--box);stroke:var(--line);stroke-width:1.2}
.deed .input rect{fill:var(--in);stroke:var(--inside)}
.deed .output rect{fill:var(--out);stroke:var(--outside)}
.deed .node text{fill:var(--ink);font-size:13px;text-anchor:middle}
.deed .step .name{font-weight:600}
.deed .step .run{fill:var(--soft);font-size:11px;font-family:ui-monospace,SFMono-Regular,Menlo,Consolas,monospace}
.deed .step .each{fill:var(--soft);font-size:11px;font-style:italic}
.deed .edge{fill:none;stroke:var(--line);stroke-width:1.4;marker-end:url(#deed-arrow)}
.deed .after{stroke-dasharray:4 4}
.deed .head{fill:var(--line)}
.deed .data{fill:var(--ink);font-size:11px;text-anchor:middle;paint-order:stroke;stroke:var(--page);stroke-width:5px;stroke-linejoin:round}
`

func drawFrames(b *strings.Builder, g *graph, l *level) {
	for _, in := range l.inner {
		f := g.Groups[in.frame]
		class := "frame"
		if f.Child {
			class += " child"
		}
		fmt.Fprintf(b, `<g class="%s" data-address="%s"><title>%s</title>`, class, escape(f.Name), escape(f.Name))
		if f.Child && f.Each != "" { // one of several
			fmt.Fprintf(b, `<rect x="%.1f" y="%.1f" width="%.1f" height="%.1f" rx="10"/>`, in.left+stack/2, in.above+stack/2, in.width, in.height)
		}
		fmt.Fprintf(b, `<rect x="%.1f" y="%.1f" width="%.1f" height="%.1f" rx="10"/><text x="%.1f" y="%.1f">%s</text></g>`+"\n",
			in.left, in.above, in.width, in.height, in.left+padding-4, in.above+20, escape(clip(f.title(), mostAbove)))
		drawFrames(b, g, in)
	}
}

func drawEdges(b *strings.Builder, g *graph, root *level, routes [][]*level, spread map[portKey]float64) {
	links := map[*level]map[int][]*link{}
	var gather func(l *level)
	gather = func(l *level) {
		links[l] = map[int][]*link{}
		for _, k := range l.links {
			links[l][k.edge] = append(links[l][k.edge], k)
		}
		for _, in := range l.inner {
			gather(in)
		}
	}
	gather(root)
	var texts strings.Builder // above all edges
	var places labels
	for i, e := range g.Edges {
		way := stations(i, routes[i], links, spread)
		if len(way) < 2 {
			continue
		}
		class := "edge"
		if e.After {
			class += " after"
		}
		names := strings.Join(e.Data, ", ")
		fmt.Fprintf(b, `<path class="%s" d="%s"><title>%s</title></path>`+"\n", class, curve(way), escape(g.Nodes[e.from].Name+" → "+g.Nodes[e.to].Name+": "+orAfter(names)))
		if label := clip(g.label(e), mostAtEdge); label != "" {
			x, y := places.find(way, textWidth(label, 6.4))
			fmt.Fprintf(&texts, `<text class="data" x="%.1f" y="%.1f">%s</text>`+"\n", x, y+4, escape(label))
		}
	}
	b.WriteString(texts.String())
}

func orAfter(names string) string {
	if names == "" {
		return "after"
	}
	return names
}

func drawNodes(b *strings.Builder, g *graph, l *level) {
	for _, c := range l.cells {
		if c.node < 0 {
			continue
		}
		n := g.Nodes[c.node]
		drawNode(b, n, l.left+c.x-c.w/2, l.above+c.y, c.w, c.h)
	}
	for _, in := range l.inner {
		drawNodes(b, g, in)
	}
}

func drawNode(b *strings.Builder, n node, x, y, w, h float64) {
	about := []string{n.Name}
	for _, more := range []string{n.Run, n.Each, n.When} {
		if more != "" {
			about = append(about, more)
		}
	}
	fmt.Fprintf(b, `<g class="node %s" data-address="%s"><title>%s</title>`, n.Kind, escape(n.Name), escape(strings.Join(about, " · ")))
	radius := 6.0
	if n.Kind != step {
		radius = h / 2
	}
	if n.Each != "" {
		w, h = w-stack, h-stack
		for _, behind := range []float64{stack, stack / 2} {
			fmt.Fprintf(b, `<rect x="%.1f" y="%.1f" width="%.1f" height="%.1f" rx="%.1f"/>`, x+behind, y+behind, w, h, radius)
		}
	}
	fmt.Fprintf(b, `<rect x="%.1f" y="%.1f" width="%.1f" height="%.1f" rx="%.1f"/>`, x, y, w, h, radius)
	lines := boxLines(n)
	baseline := y + h/2 + 4.5 - float64(len(lines)-1)*lineHeight/2
	for _, line := range lines {
		fmt.Fprintf(b, `<text class="%s" x="%.1f" y="%.1f">%s</text>`, line.class, x+w/2, baseline, escape(line.text))
		baseline += lineHeight
	}
	b.WriteString("</g>\n")
}

const lineHeight = 16.0

type boxLine struct {
	class, text string
	character   float64 // its mean width
}

func boxLines(n node) []boxLine {
	lines := []boxLine{{"name", clip(n.Label, mostInBox), 7.6}}
	if n.Run != "" {
		lines = append(lines, boxLine{"run", clip(n.Run, mostInBox), 6.7})
	}
	for _, line := range []string{n.Each, n.When} {
		if line != "" {
			lines = append(lines, boxLine{"each", clip(line, mostInBox), 6.0})
		}
	}
	return lines
}

// size is how large the box of a node must be.
func size(n node) (w, h float64) {
	lines := boxLines(n)
	for _, line := range lines {
		w = max(w, textWidth(line.text, line.character))
	}
	if n.Kind != step {
		return max(w+36, 84), 32
	}
	w, h = max(w+28, 104), float64(len(lines))*lineHeight+18
	if n.Each != "" {
		w, h = w+stack, h+stack
	}
	return w, h
}

func textWidth(s string, character float64) float64 {
	return float64(utf8.RuneCountInString(s)) * character
}
