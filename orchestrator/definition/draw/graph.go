// Package draw shows a definition as a picture: steps are boxes, data are the
// edges between them, inputs and outputs are rounded, a fan-out is a stack of
// boxes, a group is a frame. It is pure and deterministic: the same definition
// gives the same bytes. Any definition can be drawn, also one that would be
// refused: what leads nowhere is left out.
package draw

import (
	"strconv"
	"strings"

	"github.com/deedrun/deed/orchestrator/definition"
	"github.com/deedrun/deed/task"
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

	parent int // in Groups; -1: none
}

type builder struct {
	graph
	frames map[string]int // by address
	byStep map[string]int // node by address
	edges  map[[2]int]int // edge of data by its ends
}

func graphOf(d definition.Definition) *graph {
	b := &builder{
		graph:  graph{Name: d.Name, Nodes: []node{}, Edges: []edge{}},
		frames: map[string]int{}, byStep: map[string]int{}, edges: map[[2]int]int{},
	}
	inputs := map[string]int{}
	for _, name := range d.Inputs {
		inputs[name] = b.add(node{Kind: input, Label: name, Name: name, frame: -1})
	}
	for _, s := range d.Steps {
		b.step(s)
	}
	plan := d.Plan()
	for _, s := range d.Steps {
		to := b.byStep[s.Address]
		for _, name := range s.Reads() {
			if w, ok := plan.Writer(name); ok {
				b.connect(b.byStep[w.Address], to, name)
			} else if from, ok := inputs[name]; ok {
				b.connect(from, to, name)
			}
		}
		for _, address := range s.After {
			if from, ok := b.byStep[address]; ok {
				b.after(from, to)
			}
		}
	}
	for _, name := range d.Outputs {
		to := b.add(node{Kind: output, Label: name, Name: name, frame: -1})
		if w, ok := plan.Writer(name); ok {
			b.connect(b.byStep[w.Address], to, name)
		}
	}
	return &b.graph
}

func (b *builder) add(n node) int {
	n.ID = "n" + strconv.Itoa(len(b.Nodes))
	b.Nodes = append(b.Nodes, n)
	return len(b.Nodes) - 1
}

func (b *builder) step(s definition.Step) {
	if _, twice := b.byStep[s.Address]; twice {
		return
	}
	n := node{Kind: step, Name: s.Address, Label: s.Address, Run: runs(s.Run), frame: -1}
	if s.Each != nil {
		n.Each = "each " + s.Each.String()
	}
	if i := strings.LastIndexByte(s.Address, '/'); i >= 0 {
		n.frame = b.frame(s.Address[:i])
		n.Label, n.Group = s.Address[i+1:], b.Groups[n.frame].ID
	}
	b.byStep[s.Address] = b.add(n)
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
	b.Edges[i].Data = append(b.Edges[i].Data, name)
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
func runs(r task.Run) string {
	switch {
	case r.Handler != "":
		return r.Handler
	case len(r.Command) > 0:
		return strings.Join(strings.Fields(strings.Join(r.Command, " ")), " ")
	}
	first, _, more := strings.Cut(strings.TrimSpace(r.Shell), "\n")
	if more {
		first += " …"
	}
	return "sh: " + first
}
