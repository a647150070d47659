package process

import (
	"fmt"
	"slices"
	"strings"

	"github.com/deedrun/deed/orchestrator/definition"
	"github.com/deedrun/deed/task"
)

// SealPrefix begins the addresses of the built-in tasks that merge the lists
// of a name: deed/seal/<name>. No author's address begins with it.
const SealPrefix = task.SealHandler + "/"

// graph is a definition prepared for walking: everything by number, so that
// nothing scans it per event. It is built once a process and never changes.
type graph struct {
	def    *definition.Definition
	inputs map[string]bool
	number map[string]int // by address, seals included
	writer map[string]int // step by the name it writes
	reader map[string][]int
	next   [][]int // by step: the steps that wait for it
	needs  []int   // by step: how many steps it waits for
	seals  []string
}

// newGraph refuses what cannot be walked. Definitions come checked from the
// parser, but also from the wire and from old histories.
func newGraph(def *definition.Definition) (*graph, error) { return graphOf(def, 0) }

// graphOf is newGraph for the definition of a child, so many below the root's.
func graphOf(def *definition.Definition, depth int) (*graph, error) {
	n := len(def.Steps)
	if depth > definition.MaxDepth {
		return nil, fmt.Errorf("children are nested more than %d deep", definition.MaxDepth)
	}
	if n == 0 {
		return nil, fmt.Errorf("definition %q has no steps", def.Name)
	}
	g := &graph{
		def: def, inputs: map[string]bool{}, number: make(map[string]int, n), writer: map[string]int{}, reader: map[string][]int{},
		next: make([][]int, n), needs: make([]int, n),
	}
	for _, name := range def.Inputs {
		g.inputs[name] = true
	}
	for i, s := range def.Steps {
		if _, twice := g.number[s.Address]; twice || s.Address == "" {
			return nil, fmt.Errorf("definition %q: address %q occurs twice or is empty", def.Name, s.Address)
		}
		if strings.HasPrefix(s.Address, SealPrefix) {
			return nil, fmt.Errorf("definition %q: address %q is one of deed's own", def.Name, s.Address)
		}
		if s.Each != nil && len(s.Each.With) > 0 && !s.Each.ByKey {
			return nil, fmt.Errorf("step %q fans out over several names, but not by key", s.Address)
		}
		if err := checkChild(s, depth); err != nil {
			return nil, err
		}
		g.number[s.Address] = i
		for _, out := range s.Out {
			if w, twice := g.writer[out.Data]; twice {
				return nil, fmt.Errorf("name %q is written by %q and by %q: a name is written once", out.Data, def.Steps[w].Address, s.Address)
			}
			if g.inputs[out.Data] {
				return nil, fmt.Errorf("step %q writes %q, which is an input of the process", s.Address, out.Data)
			}
			g.writer[out.Data] = i
		}
	}
	for i, s := range def.Steps {
		if err := g.connect(i, s); err != nil {
			return nil, err
		}
	}
	for _, name := range def.Outputs {
		if _, ok := g.writer[name]; !ok {
			return nil, fmt.Errorf("output %q is written by no step", name)
		}
	}
	for _, next := range g.next {
		slices.Sort(next) // maps have no order; histories need one
	}
	if at := g.cycle(); at >= 0 {
		return nil, fmt.Errorf("step %q waits for itself: the definition has a cycle", def.Steps[at].Address)
	}
	for _, s := range def.Steps {
		for _, out := range s.Out {
			g.number[SealPrefix+out.Data] = n + len(g.seals)
			g.seals = append(g.seals, out.Data)
		}
	}
	return g, nil
}

func (g *graph) connect(i int, s definition.Step) error {
	waits := map[int]bool{}
	for _, name := range s.Reads() {
		g.reader[name] = append(g.reader[name], i)
		if w, ok := g.writer[name]; ok {
			waits[w] = true
		} else if !g.inputs[name] {
			return fmt.Errorf("step %q reads %q, which nothing writes", s.Address, name)
		}
	}
	for _, address := range s.After {
		w, ok := g.number[address]
		if !ok {
			return fmt.Errorf("step %q runs after %q, which does not exist", s.Address, address)
		}
		waits[w] = true
	}
	for w := range waits {
		g.next[w] = append(g.next[w], i)
	}
	g.needs[i] = len(waits)
	return nil
}

// cycle returns a step on a cycle or behind one, or -1.
func (g *graph) cycle() int {
	needs := slices.Clone(g.needs)
	var ready []int
	for i, n := range needs {
		if n == 0 {
			ready = append(ready, i)
		}
	}
	for len(ready) > 0 {
		i := ready[len(ready)-1]
		ready = ready[:len(ready)-1]
		for _, j := range g.next[i] {
			if needs[j]--; needs[j] == 0 {
				ready = append(ready, j)
			}
		}
	}
	return slices.IndexFunc(needs, func(n int) bool { return n > 0 })
}

// step is the definition of node n; ok is false for a seal.
func (g *graph) step(n int) (definition.Step, bool) {
	if n < len(g.def.Steps) {
		return g.def.Steps[n], true
	}
	return definition.Step{}, false
}

// seal is the node that seals a name that a step writes.
func (g *graph) seal(name string) int { return g.number[SealPrefix+name] }

// sealed is the name that node n seals.
func (g *graph) sealed(n int) string { return g.seals[n-len(g.def.Steps)] }

func (g *graph) address(n int) string {
	if s, ok := g.step(n); ok {
		return s.Address
	}
	return SealPrefix + g.sealed(n)
}

// writerOf is the address of the step whose lists the seal at an address
// merges; "" for a step.
func (g *graph) writerOf(address string) string {
	n := g.number[address]
	if n < len(g.def.Steps) {
		return ""
	}
	return g.def.Steps[g.writer[g.sealed(n)]].Address
}

// source is what a name comes from, for people.
func (g *graph) source(name string) string {
	if w, ok := g.writer[name]; ok {
		return "written by " + g.def.Steps[w].Address
	}
	return "an input"
}

// noStep tells, of an address that is none, which may have been meant.
func (g *graph) noStep(address string) string {
	var known []string
	for _, step := range g.def.Steps {
		known = append(known, step.Address)
	}
	var spell definition.Speller
	hint := spell.Hint(address, known)
	if hint == "" {
		hint = "its steps are " + strings.Join(known[:min(len(known), 10)], ", ")
	}
	return fmt.Sprintf("no step %q; %s", clip(address, 100), hint)
}

// retry is the policy of node n. A merge is tried a few times and quickly:
// what makes it fail is storage that is away for a moment.
func (g *graph) retry(n int) definition.Retry {
	if s, ok := g.step(n); ok {
		return s.Retry
	}
	return definition.Retry{Attempts: 5, Backoff: definition.Backoff{Min: task.Duration(1e9), Max: task.Duration(30e9)}}
}

// readWholeByMany reports whether a fan-out reads the whole name in every
// task: its list would then travel in every message.
func (g *graph) readWholeByMany(name string) bool {
	for _, r := range g.reader[name] {
		s := g.def.Steps[r]
		is := func(b definition.Binding) bool { return b.Data == name }
		if s.Each != nil && slices.ContainsFunc(s.In, is) && !slices.ContainsFunc(joined(*s.Each), is) {
			return true
		}
	}
	return false
}
