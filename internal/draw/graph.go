// Package draw shows a definition as a picture: steps are boxes, data are the
// edges between them, inputs and outputs are rounded, a fan-out is a stack of
// boxes, a group is a frame, and a child is a frame with its steps inside. It is
// pure and deterministic: the same definition gives the same bytes. Any definition
// can be drawn, also one that would be refused: what leads nowhere is left out.
package draw

import (
	"encoding/json"
	"fmt"
	"maps"
	"slices"
	"strconv"
	"strings"

	"github.com/deedrun/deed/orchestrator/definition"
)

// kind is what a node stands for.
type kind string

const (
	input  kind = "input"
	step   kind = "step"
	output kind = "output"
)

// graph is what all forms of the picture have in common.
type graph struct {
	Name   string  `json:"name"`
	Nodes  []node  `json:"nodes"`
	Edges  []edge  `json:"edges"`
	Groups []frame `json:"groups,omitempty"`
}

type node struct {
	ID    string `json:"id"`
	Kind  kind   `json:"kind"`
	Label string `json:"label"`           // the last word of the address, or the name of the data
	Name  string `json:"name"`            // the whole address
	Group string `json:"group,omitempty"` // ID of the frame around it
	Run   string `json:"run,omitempty"`   // what it runs, on one line
	Each  string `json:"each,omitempty"`  // "each corpus by key into 8"; of a single task empty
	When  string `json:"when,omitempty"`  // "when score > 3"

	frame int // in Groups; -1: none
}

// edge leads from a node to another, by their places in Nodes.
type edge struct {
	From  string   `json:"from"`
	To    string   `json:"to"`
	Data  []string `json:"data,omitempty"`  // names that go this way
	After bool     `json:"after,omitempty"` // an order without data

	from, to int
}

type frame struct {
	ID    string `json:"id"`
	Label string `json:"label"`
	Name  string `json:"name"`
	Group string `json:"group,omitempty"`

	Child bool   `json:"child,omitempty"` // a process of its own
	Each  string `json:"each,omitempty"`  // of a child, as of a node
	When  string `json:"when,omitempty"`

	parent int // in Groups; -1: none
}

// title is what stands above a frame.
func (f frame) title() string {
	parts := []string{f.Label}
	for _, more := range []string{f.Each, f.When} {
		if more != "" {
			parts = append(parts, more)
		}
	}
	return strings.Join(parts, " · ")
}

type builder struct {
	graph
	frames map[string]int // by address
	edges  map[[2]int]int // edge of data by its ends
}

func graphOf(d definition.Definition) *graph {
	b := &builder{graph: graph{Name: d.Name, Nodes: []node{}, Edges: []edge{}}, frames: map[string]int{}, edges: map[[2]int]int{}}
	root := &place{inputs: map[string]int{}}
	for _, name := range d.Inputs {
		root.inputs[name] = b.add(node{Kind: input, Label: name, Name: name, frame: -1})
	}
	b.fill(root, d)
	b.wire(root)
	for _, name := range d.Outputs {
		to := b.add(node{Kind: output, Label: name, Name: name, frame: -1})
		if from, ok := root.source(name, 0); ok && b.Nodes[from].Kind != input {
			b.connect(from, to, name)
		}
	}
	return &b.graph
}

// JSON is the picture as nodes, edges and groups, for a program that draws.
func JSON(d definition.Definition) []byte {
	data, _ := json.MarshalIndent(graphOf(d), "", "  ") // texts alone always encode
	return append(data, '\n')
}

func (b *builder) add(n node) int {
	n.ID = "n" + strconv.Itoa(len(b.Nodes))
	b.Nodes = append(b.Nodes, n)
	return len(b.Nodes) - 1
}

// step adds the box of a step, or the frame of its child and what is inside.
func (b *builder) step(p *place, s definition.Step) {
	address := p.above + s.Address
	each, holds := "", ""
	switch {
	case s.Each != nil:
		each = "each " + s.Each.String()
	case s.Repeat != nil:
		each = rounds(*s.Repeat)
	}
	if s.When != nil {
		holds = "when " + s.When.Text
	}
	if s.Process != nil && len(s.Process.Steps) > 0 && p.depth < definition.MaxDepth {
		at := b.frame(address)
		b.Groups[at].Child, b.Groups[at].Each, b.Groups[at].When = true, each, holds
		inner := &place{above: address + "/", around: p, step: s, depth: p.depth + 1}
		p.children[s.Address] = inner
		b.fill(inner, *s.Process)
		return
	}
	n := node{Kind: step, Name: address, Label: address, Run: runs(s), Each: each, When: holds, frame: -1}
	if i := strings.LastIndexByte(address, '/'); i >= 0 {
		n.frame = b.frame(address[:i])
		n.Label, n.Group = address[i+1:], b.Groups[n.frame].ID
	}
	p.nodes[s.Address] = b.add(n)
}

// rounds says how a child is repeated: "repeat until done, carry cursor".
func rounds(r definition.Repeat) string {
	text := fmt.Sprintf("repeat %d times", r.Max)
	if r.Until != nil {
		text = "repeat until " + r.Until.Text
	}
	if len(r.Carry) > 0 {
		text += ", carry " + strings.Join(slices.Sorted(maps.Keys(r.Carry)), ", ")
	}
	return text
}

// frame is the group at an address, made with those around it if need be.
func (b *builder) frame(address string) int {
	if f, ok := b.frames[address]; ok {
		return f
	}
	f := frame{Label: address, Name: address, parent: -1}
	if i := strings.LastIndexByte(address, '/'); i >= 0 {
		f.parent = b.frame(address[:i])
		f.Label, f.Group = address[i+1:], b.Groups[f.parent].ID
	}
	f.ID = "g" + strconv.Itoa(len(b.Groups))
	b.Groups = append(b.Groups, f)
	b.frames[address] = len(b.Groups) - 1
	return len(b.Groups) - 1
}

func (b *builder) connect(from, to int, name string) {
	ends := [2]int{from, to}
	i, ok := b.edges[ends]
	if !ok {
		i = len(b.Edges)
		b.edges[ends] = i
		b.Edges = append(b.Edges, b.edge(from, to))
	}
	if !slices.Contains(b.Edges[i].Data, name) {
		b.Edges[i].Data = append(b.Edges[i].Data, name)
	}
}

func (b *builder) after(from, to int) {
	if _, ordered := b.edges[[2]int{from, to}]; ordered {
		return // data orders them already
	}
	e := b.edge(from, to)
	e.After = true
	b.Edges = append(b.Edges, e)
}

func (b *builder) edge(from, to int) edge {
	return edge{From: b.Nodes[from].ID, To: b.Nodes[to].ID, from: from, to: to}
}

// label is what is written at an edge: nothing where a round node says it.
func (g *graph) label(e edge) string {
	if g.Nodes[e.from].Kind == input || g.Nodes[e.to].Kind == output {
		return ""
	}
	return strings.Join(e.Data, ", ")
}

// runs is what a step runs, on one line.
func runs(s definition.Step) string {
	switch r := s.Run; {
	case s.Process != nil:
		return "process " + s.Process.Name
	case r.Handler != "":
		return r.Handler
	case len(r.Command) > 0:
		return strings.Join(strings.Fields(strings.Join(r.Command, " ")), " ")
	}
	first, _, more := strings.Cut(strings.TrimSpace(s.Run.Shell), "\n")
	if more {
		first += " …"
	}
	return "sh: " + first
}
