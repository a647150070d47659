package draw

import "slices"

// maxBends bounds how many bends a level gets; longer links beyond that run
// straight through what is in between.
const maxBends = 20_000

// layer gives each cell a layer such that links lead downwards, and cuts links
// that pass layers into pieces with bends in between.
func (l *level) layer() {
	l.breakCycles()
	var entering, leaving []*cell
	for key, p := range l.ports {
		if key.entering {
			entering = append(entering, p)
		} else {
			leaving = append(leaving, p)
		}
	}
	first := min(len(entering), 1)
	last := first
	for _, c := range l.downwards() {
		if !c.port {
			c.layer = max(c.layer, first)
			last = max(last, c.layer)
		}
		for _, k := range c.out {
			k.to.layer = max(k.to.layer, c.layer+1)
		}
	}
	for _, c := range l.cells { // what waits for nothing stands just above who needs it
		if len(c.in) == 0 && len(c.out) > 0 && !c.port {
			next := slices.MinFunc(c.out, func(a, b *link) int { return a.to.layer - b.to.layer })
			c.layer = max(c.layer, next.to.layer-1)
		}
	}
	for _, p := range entering {
		p.layer = 0
	}
	for _, p := range leaving {
		p.layer = last + 1
	}
	l.bends()
	for _, c := range l.cells {
		for len(l.layers) <= c.layer {
			l.layers = append(l.layers, nil)
		}
		l.layers[c.layer] = append(l.layers[c.layer], c)
	}
}

// breakCycles marks links that lead back, and attaches all others to their cells.
func (l *level) breakCycles() {
	all := map[*cell][]*link{}
	for _, k := range l.links {
		all[k.from] = append(all[k.from], k)
	}
	const open, done = 1, 2
	state := map[*cell]int{}
	var visit func(c *cell)
	visit = func(c *cell) {
		state[c] = open
		for _, k := range all[c] {
			switch state[k.to] {
			case open:
				k.back = true
				continue
			case 0:
				visit(k.to)
			}
		}
		state[c] = done
	}
	for _, c := range l.cells {
		if state[c] == 0 {
			visit(c)
		}
	}
	for _, k := range l.links {
		if !k.back {
			k.from.out, k.to.in = append(k.from.out, k), append(k.to.in, k)
		}
	}
}

// downwards lists the cells such that each comes after those that link to it.
func (l *level) downwards() []*cell {
	waits := make(map[*cell]int, len(l.cells))
	var ready []*cell
	for _, c := range l.cells {
		if waits[c] = len(c.in); waits[c] == 0 {
			ready = append(ready, c)
		}
	}
	for i := 0; i < len(ready); i++ {
		for _, k := range ready[i].out {
			if waits[k.to]--; waits[k.to] == 0 {
				ready = append(ready, k.to)
			}
		}
	}
	return ready
}

func (l *level) bends() {
	left := maxBends
	var pieces []*link
	for _, k := range l.links {
		n := k.to.layer - k.from.layer - 1
		if k.back || n <= 0 || n > left {
			pieces = append(pieces, k)
			continue
		}
		left -= n
		target, piece := k.to, k
		for i := range n {
			bend := &cell{node: -1, bend: true, layer: k.from.layer + 1 + i, w: 10}
			l.cells = append(l.cells, bend)
			piece.to = bend
			bend.in = []*link{piece}
			pieces = append(pieces, piece)
			piece = &link{edge: k.edge, from: bend}
			bend.out = []*link{piece}
		}
		piece.to = target
		target.in[slices.Index(target.in, k)] = piece
		pieces = append(pieces, piece)
	}
	l.links = pieces
}
