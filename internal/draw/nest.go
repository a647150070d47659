package draw

import "github.com/deedrun/deed/orchestrator/definition"

// place is one process of the picture: the whole, or a child inside.
type place struct {
	inputs   map[string]int // of the whole: their nodes
	nodes    map[string]int // steps by their address in the process
	children map[string]*place
	steps    []definition.Step
	writer   map[string]definition.Step // by the name of the data
	read     map[string]bool            // by the name of the data
	followed map[string]bool            // addresses that a step is after
	above    string                     // the address of the step whose child it is, and a slash
	around   *place
	step     definition.Step // in around
	depth    int
}

func (p *place) has(address string) bool {
	_, isNode := p.nodes[address]
	return isNode || p.children[address] != nil
}

// fill adds the steps of a process.
func (b *builder) fill(p *place, d definition.Definition) {
	p.nodes, p.children, p.steps = map[string]int{}, map[string]*place{}, d.Steps
	p.writer, p.read, p.followed = map[string]definition.Step{}, map[string]bool{}, map[string]bool{}
	for _, s := range d.Steps {
		if p.has(s.Address) {
			continue // of two with one address, as of two writers of a name, the first counts
		}
		p.index(s)
		b.step(p, s)
	}
}

func (p *place) index(s definition.Step) {
	for _, out := range s.Out {
		if _, written := p.writer[out.Data]; !written {
			p.writer[out.Data] = s
		}
	}
	for _, name := range s.Reads() {
		p.read[name] = true
	}
	for _, address := range s.After {
		p.followed[address] = true
	}
}

// wire adds the edges to the steps of a process, of its children as well: what a
// child reads comes from the step around it that writes it.
func (b *builder) wire(p *place) {
	for _, s := range p.steps {
		ends := p.first(s.Address)
		names := s.Reads()
		if child := p.children[s.Address]; child != nil {
			b.wire(child)
			names = nil
			if s.When != nil {
				names = s.When.Names()
			}
		}
		for _, name := range names {
			from, ok := p.source(name, 0)
			for _, to := range ends {
				if ok {
					b.connect(from, to, name)
				}
			}
		}
		for _, address := range s.After {
			for _, from := range p.last(address) {
				for _, to := range ends {
					b.after(from, to)
				}
			}
		}
	}
}

// source is the node that data of a process comes from, inside of a child or
// around it.
func (p *place) source(name string, hops int) (node int, ok bool) {
	const most = 4 * definition.MaxDepth // of what no definition should be like
	if hops > most {
		return 0, false
	}
	if w, written := p.writer[name]; written {
		child := p.children[w.Address]
		if child == nil {
			node, ok = p.nodes[w.Address]
			return node, ok
		}
		for _, out := range w.Out {
			if out.Data == name {
				return child.source(out.Local, hops+1)
			}
		}
	}
	if p.around == nil {
		node, ok = p.inputs[name]
		return node, ok
	}
	bindings := p.step.In
	if e := p.step.Each; e != nil {
		bindings = append(append([]definition.Binding{e.Binding}, e.With...), bindings...)
	}
	for _, b := range bindings {
		if b.Local == name {
			return p.around.source(b.Data, hops+1)
		}
	}
	return 0, false // it is carried, from the end of a round to the beginning of the next
}

// first are the nodes with which a step begins: its own, or of a child those that
// wait for nothing inside.
func (p *place) first(address string) []int {
	return p.ends(address, func(child *place, s definition.Step) bool {
		for _, name := range s.Reads() {
			if _, written := child.writer[name]; written {
				return false
			}
		}
		return len(s.After) == 0
	})
}

// last are the nodes with which a step ends.
func (p *place) last(address string) []int {
	return p.ends(address, func(child *place, s definition.Step) bool {
		for _, out := range s.Out {
			if child.read[out.Data] {
				return false
			}
		}
		return !child.followed[s.Address]
	})
}

func (p *place) ends(address string, is func(child *place, s definition.Step) bool) []int {
	child := p.children[address]
	if child == nil {
		if n, ok := p.nodes[address]; ok {
			return []int{n}
		}
		return nil
	}
	var all []int
	for _, s := range child.steps {
		if is(child, s) {
			all = append(all, child.ends(s.Address, is)...)
		}
	}
	return all
}
