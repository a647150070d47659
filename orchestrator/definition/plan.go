package definition

// Plan is the index of a definition: who writes a name, who reads it, who
// follows whom. It is built once, read by many, and never changes. It holds
// pointers into the definition's steps, which must not change either.
//
// A plan can be made of any definition, also of one from an old history that
// would not be accepted today: of two steps with one address, or two writers
// of one name, the first counts; an unknown address in After is ignored.
type Plan struct {
	steps     map[string]*Step
	inputs    map[string]bool
	writer    map[string]*Step
	readers   map[string][]*Step
	followers map[string][]*Step
}

// Plan indexes the definition. It costs one pass over the steps.
func (d Definition) Plan() *Plan {
	p := &Plan{
		steps:     make(map[string]*Step, len(d.Steps)),
		inputs:    make(map[string]bool, len(d.Inputs)),
		writer:    make(map[string]*Step, len(d.Steps)),
		readers:   make(map[string][]*Step, len(d.Steps)),
		followers: map[string][]*Step{},
	}
	for _, name := range d.Inputs {
		p.inputs[name] = true
	}
	for i := range d.Steps {
		s := &d.Steps[i]
		if p.steps[s.Address] != nil {
			continue
		}
		p.steps[s.Address] = s
		for _, b := range s.Out {
			if p.writer[b.Data] == nil {
				p.writer[b.Data] = s
			}
		}
		for _, name := range s.Reads() {
			p.readers[name] = append(p.readers[name], s)
		}
		for _, address := range s.After {
			p.followers[address] = append(p.followers[address], s)
		}
	}
	return p
}

// Step is the step at an address; ok is false if there is none.
func (p *Plan) Step(address string) (s *Step, ok bool) {
	s, ok = p.steps[address]
	return s, ok
}

// IsInput reports whether the name is given at submit.
func (p *Plan) IsInput(name string) bool { return p.inputs[name] }

// Writer is the step that writes a name; ok is false for an input and for a
// name that nobody writes.
func (p *Plan) Writer(name string) (s *Step, ok bool) {
	s, ok = p.writer[name]
	return s, ok
}

// Readers lists the steps that read a name, in the order of the definition.
func (p *Plan) Readers(name string) []*Step { return p.readers[name] }

// Followers lists the steps that name this address in After, in the order of
// the definition. Steps that wait for its data are not among them: see Readers.
func (p *Plan) Followers(address string) []*Step { return p.followers[address] }
