package definition

import (
	"encoding/json"

	"github.com/deedrun/deed/task"
)

// Source is a definition as its author wrote it: steps nested in groups,
// nothing filled in, and every word with its place, so that a fault can point
// at it. [github.com/deedrun/deed/orchestrator/definition/parse] reads it from a file, [Check] finds what is
// wrong with it, [Resolve] makes a [Definition] of it.
type Source struct {
	Pos           // of the document
	Format   Text // deed: v1
	Name     Text
	Version  Text
	Inputs   []Text
	Params   []Param
	Files    []Text
	Steps    []*Node
	Outputs  []Text
	Settings []SettingsAt
	ProcessSettings

	// Partial says that the parser refused something and went on without it.
	// Check then does not report what may be missing for that reason alone.
	Partial bool
}

// Text is a word of the file and its place. The zero Text was not written.
type Text struct {
	Value string
	Pos
}

// Given reports whether the author wrote it.
func (t Text) Given() bool { return t.Line != 0 }

// Param is a parameter and its default; a nil Default has to be given at submit.
type Param struct {
	Name    Text
	Default json.RawMessage // a scalar
}

// Node is a step, or a group of nodes.
type Node struct {
	Name     Text
	Group    bool
	Steps    []*Node // of a group
	Run      *Run
	Shell    Text
	Each     *EachSource
	In       []BindingSource
	Out      []BindingSource
	After    []Text
	Settings Settings

	// Partial says that the parser refused something in this node.
	Partial bool
}

// Run is what `run:` says: a handler, or the words of a command.
type Run struct {
	Pos
	Handler Text
	Command []Text
}

// BindingSource is a name of the dataset and the one by which a handler knows it.
// Both are the same word, in the same place, unless the author gave two.
type BindingSource struct{ Local, Data Text }

// EachSource is what `each:` says.
type EachSource struct {
	BindingSource
	ByKey bool
	Into  *int // nil: without `into`
}

// Settings are what may be said of a step in several places; nil: not said here.
type Settings struct {
	Timeout     *Setting[task.Duration]
	Attempts    *Setting[int]
	Backoff     *Setting[Backoff]
	Factor      *Setting[float64]
	Jitter      *Setting[float64]
	Parallelism *Setting[int]
	Tolerate    *Setting[Tolerance]
	Pool        *Setting[string] // "": of workers without one
	Needs       *Setting[task.Resources]
	Rate        *Setting[Rate]
	Env         EnvSource // a variable is inherited like any other setting
}

// Setting is a value and its place.
type Setting[T any] struct {
	Value T
	Pos
	None bool // a limit is lifted, as only what is given as text can say; Value is zero
}

// SettingsAt is an entry of the top-level `settings:`, for a step or a group.
type SettingsAt struct {
	Address Text
	Settings
}

// node is a node of the tree with its address and the groups around it.
type node struct {
	*Node
	address string
	parent  *node
}

// walk lists all nodes in the order of the file, a group before its steps.
func (s *Source) walk() []*node {
	var all []*node
	var visit func(nodes []*Node, parent *node)
	visit = func(nodes []*Node, parent *node) {
		for _, n := range nodes {
			at := &node{Node: n, address: n.Name.Value, parent: parent}
			if parent != nil {
				at.address = parent.address + "/" + at.address
			}
			all = append(all, at)
			visit(n.Steps, at)
		}
	}
	visit(s.Steps, nil)
	return all
}
