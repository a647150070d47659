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
	Pos             // of the document
	Folder   string // of a definition that another one names: where it lies, from the folder of the outermost; "": there
	Format   Text   // deed: v1
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

// Node is a step, or a group of nodes. A group with Each or Repeat is a step, too:
// its nodes are a process of their own, a child.
type Node struct {
	Name     Text
	Group    bool
	Steps    []*Node // of a group
	Run      *Run
	Shell    Text
	Keep     *Setting[bool]
	Process  Text    // the file of a definition, from the folder of this one
	Defined  *Source // what that file says; nil: it was not read
	Each     *EachSource
	In       []BindingSource
	Out      []OutputSource
	After    []Text
	When     *ConditionSource
	Repeat   *RepeatSource
	Params   []ParamSource
	Settings Settings

	// Partial says that the parser refused something in this node.
	Partial bool
}

// child reports whether each task of the node is a process of its own.
func (n *Node) child() bool {
	return n.Process.Given() || n.Group && (n.Each != nil || n.Repeat != nil)
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

// OutputSource is a name that a step writes; JSON is the type of its small values,
// if they are some.
type OutputSource struct {
	BindingSource
	JSON Text
}

// EachSource is what `each:` says.
type EachSource struct {
	BindingSource
	ByKey bool
	Into  *int            // nil: without `into`
	With  []BindingSource // what else is joined by key
}

// names are the names that it fans out over.
func (e *EachSource) names() []BindingSource {
	if e == nil {
		return nil
	}
	return append([]BindingSource{e.BindingSource}, e.With...)
}

// ParamSource is a param that a step gives its tasks, or its child.
type ParamSource struct {
	Name  Text
	Value json.RawMessage // a scalar; ${params.x} stands for a param of the process
	At    Pos             // of the value
}

// ConditionSource is a condition as its author wrote it, and what that means.
type ConditionSource struct {
	Text
	Expr ExprSource
}

// ExprSource is an expression with its places.
type ExprSource struct {
	Pos
	Op    string
	Name  string
	Value json.RawMessage
	Args  []ExprSource
}

// RepeatSource is what `repeat:` says.
type RepeatSource struct {
	Pos
	Carry   []BindingSource // Local: an input of the next round, Data: an output of this one
	Collect []Text
	Until   *ConditionSource
	Max     *Setting[int]
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
	Cache       *Setting[Cache]
	Limits      *Setting[task.Limits]
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

// node is a node of the tree with its address in its process and the groups around it.
type node struct {
	*Node
	address string
	parent  *node
}

// walk lists all nodes in the order of the file, a group before its steps. It
// stops at children: what is inside is not of this process.
func walk(nodes []*Node) []*node {
	var all []*node
	var visit func(nodes []*Node, parent *node)
	visit = func(nodes []*Node, parent *node) {
		for _, n := range nodes {
			at := &node{Node: n, address: n.Name.Value, parent: parent}
			if parent != nil {
				at.address = parent.address + "/" + at.address
			}
			all = append(all, at)
			if !n.child() {
				visit(n.Steps, at)
			}
		}
	}
	visit(nodes, nil)
	return all
}

// below is the path of a file, from the folder of the outermost definition.
func (s *Source) below(file string) string {
	if s.Folder == "" {
		return file
	}
	return s.Folder + "/" + file
}

// Walk visits all nodes, those of children among them, each with its address. What
// a definition says that is named several times is visited once.
func (s *Source) Walk(visit func(address string, n *Node)) {
	var down func(nodes []*Node, above string)
	seen := map[*Source]bool{}
	down = func(nodes []*Node, above string) {
		for _, n := range nodes {
			address := above + n.Name.Value
			visit(address, n)
			down(n.Steps, address+"/")
			if n.Defined != nil && !seen[n.Defined] {
				seen[n.Defined] = true
				down(n.Defined.Steps, address+"/")
			}
		}
	}
	down(s.Steps, "")
}

// Total counts the steps, and those of children every time that a step has one.
func (s *Source) Total() int { return newChecker(s).total() }

// AllFiles lists the files that travel with the definition and with those that it
// names, each once, by their paths from the folder of the outermost.
func (s *Source) AllFiles() []Text {
	var all []Text
	seen := map[string]bool{}
	for _, src := range s.Definitions() {
		for _, f := range src.Files {
			f.Value = src.below(f.Value)
			if !seen[f.Value] {
				seen[f.Value] = true
				all = append(all, f)
			}
		}
	}
	return all
}

// Definitions lists the source and, each once, the definitions that it names, and
// that these name.
func (s *Source) Definitions() []*Source {
	var all []*Source
	seen := map[*Source]bool{}
	var add func(src *Source)
	var within func(nodes []*Node)
	add = func(src *Source) {
		if src == nil || seen[src] {
			return
		}
		seen[src] = true
		all = append(all, src)
		within(src.Steps)
	}
	within = func(nodes []*Node) {
		for _, n := range nodes {
			add(n.Defined)
			within(n.Steps)
		}
	}
	add(s)
	return all
}
