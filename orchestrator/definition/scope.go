package definition

import "slices"

// checker checks one process: a file, or a group whose nodes are a child. What
// the steps of a child inside a file read and do not write is what is around it.
type checker struct {
	*shared
	src    *Source
	around *checker // of a group: the process whose step it is; nil: a file
	as     *node    // that step
	prefix string   // of its addresses, in the file

	nodes     []*node
	byAddress map[string]*node
	addresses []string
	steps     []*node // nodes that run tasks: no groups, but children
	children  map[*node]*checker
	params    map[string]bool
	paramList []string
	inputs    map[string]Text
	writers   map[string]writer
	names     []string // of all data: inputs, and what steps write
	used      map[string]bool
	lacking   []Text // see free
	looked    bool
	counted   int      // see total
	levels    int      // see height
	all       []string // see everywhere
}

// shared is what the checkers of a definition have in common.
type shared struct {
	faults []Fault
	spell  Speller
	files  map[*Source]*checker
	named  []*checker // of files that are named, each once, before those that name them
}

type writer struct {
	step *node
	at   Text
}

func newChecker(src *Source) *checker {
	s := &shared{files: map[*Source]*checker{}}
	return s.checker(src, src.Steps, nil, nil)
}

func (s *shared) checker(src *Source, nodes []*Node, around *checker, as *node) *checker {
	c := &checker{
		shared: s, src: src, around: around, as: as, nodes: walk(nodes), byAddress: map[string]*node{}, children: map[*node]*checker{},
		params: map[string]bool{}, inputs: map[string]Text{}, writers: map[string]writer{}, used: map[string]bool{},
	}
	if around != nil {
		c.prefix = around.prefix + as.address + "/"
		for _, name := range around.paramList {
			c.param(name)
		}
		for _, p := range as.Params {
			c.param(p.Name.Value)
		}
		for _, b := range c.as.given() {
			c.input(b.Local)
		}
	} else {
		for _, p := range src.Params {
			c.param(p.Name.Value)
		}
		for _, in := range src.Inputs {
			c.input(in)
		}
	}
	for _, n := range c.nodes {
		if c.byAddress[n.address] == nil {
			c.byAddress[n.address] = n
			c.addresses = append(c.addresses, n.address)
		}
		if !n.Group || n.child() {
			c.steps = append(c.steps, n)
		}
		switch {
		case n.Defined != nil:
			c.children[n] = s.file(n.Defined)
		case n.Group && n.child():
			c.children[n] = s.checker(src, n.Steps, c, n)
		}
	}
	return c
}

// file is the checker of a definition that others name.
func (s *shared) file(src *Source) *checker {
	if s.files[src] == nil {
		c := s.checker(src, src.Steps, nil, nil)
		s.files[src] = c
		s.named = append(s.named, c)
	}
	return s.files[src]
}

func (c *checker) param(name string) {
	if !c.params[name] {
		c.params[name] = true
		c.paramList = append(c.paramList, name)
	}
}

func (c *checker) input(in Text) {
	if _, twice := c.inputs[in.Value]; !twice {
		c.inputs[in.Value] = in
		c.names = append(c.names, in.Value)
	}
}

// given are the names that a child is given one by one: by its local name, and,
// of what is not carried, the name of the process around it.
func (n *node) given() []BindingSource {
	all := append(n.Each.names(), n.In...)
	if n.Repeat != nil {
		for _, b := range n.Repeat.Carry {
			all = append(all, BindingSource{Local: b.Local})
		}
	}
	return all
}

// inline lists the children that are groups in this file, in its order.
func (c *checker) inline() []*checker {
	var all []*checker
	for _, n := range c.steps {
		if child := c.children[n]; child != nil && child.around != nil {
			all = append(all, child)
		}
	}
	return all
}

// outside is the address of a node in the file.
func (c *checker) outside(n *node) string {
	switch {
	case n != nil:
		return c.prefix + n.address
	case c.as != nil:
		return c.around.outside(c.as)
	}
	return ""
}

// knows reports whether there is data of that name, here or around.
func (c *checker) knows(name string) bool {
	return c.inputs[name].Given() || c.writers[name].step != nil || c.around != nil && c.around.knows(name)
}

// free lists what the steps of a child read, and neither it writes nor is given
// by name: they read it of the process around it, each name with its first place.
func (c *checker) free() []Text {
	if c.around == nil || c.looked {
		return c.lacking
	}
	c.looked = true
	seen := map[string]bool{}
	for _, n := range c.steps {
		for _, t := range c.readBy(n) {
			if !seen[t.Value] && !c.inputs[t.Value].Given() && c.writers[t.Value].step == nil && c.around.knows(t.Value) {
				seen[t.Value] = true
				c.lacking = append(c.lacking, t)
			}
		}
	}
	return c.lacking
}

// readBy lists what a step reads: what it says, what its conditions look at, and
// what its child finds here.
func (c *checker) readBy(n *node) []Text {
	var all []Text
	for _, b := range append(n.Each.names(), n.In...) {
		all = append(all, b.Data)
	}
	for at := n; at != nil; at = at.parent {
		if at.When != nil {
			all = append(all, at.When.names()...)
		}
	}
	if child := c.children[n]; child != nil {
		all = append(all, child.free()...)
	}
	return all
}

// written lists the names that steps write.
func (c *checker) written() []string {
	return slices.DeleteFunc(slices.Clone(c.names), func(name string) bool { return c.writers[name].step == nil })
}

// total is how many steps there are, each child with its own every time.
func (c *checker) total() int {
	const most = 1 << 30
	if c.counted == 0 {
		c.counted = len(c.steps)
		for _, n := range c.steps {
			if child := c.children[n]; child != nil {
				c.counted = min(most, c.counted+child.total())
			}
		}
	}
	return c.counted
}

// height is how deep children are nested in each other here.
func (c *checker) height() int {
	if c.levels == 0 {
		c.levels = 1
		for _, child := range c.children {
			c.levels = max(c.levels, child.height()+1)
		}
	}
	return c.levels - 1
}

// find is the node at an address in the file, or in a definition that it names.
func (c *checker) find(address string) (at *node, in *checker) {
	if n := c.byAddress[address]; n != nil {
		return n, c
	}
	for i := range address {
		if address[i] != '/' {
			continue
		}
		if child := c.children[c.byAddress[address[:i]]]; child != nil {
			return child.find(address[i+1:])
		}
	}
	return nil, nil
}

// everywhere lists the addresses of all nodes, as far as a person could mean them.
func (c *checker) everywhere() []string {
	if c.total() > MaxSteps {
		return c.addresses
	}
	if c.all != nil {
		return c.all
	}
	for _, n := range c.nodes {
		c.all = append(c.all, n.address)
		if child := c.children[n]; child != nil {
			for _, inner := range child.everywhere() {
				c.all = append(c.all, n.address+"/"+inner)
			}
		}
	}
	return c.all
}
