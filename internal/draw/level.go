package draw

// A level is what lies directly inside one frame, or in no frame: cells with
// links between them. Each level is laid out by itself, inner ones first, so
// that a frame is a cell of the level around it. An edge that crosses a frame
// does it at a port: a cell without size on the frame's upper or lower side.
type level struct {
	frame int // in Groups; -1: the whole picture
	self  *cell
	cells []*cell
	links []*link
	ports map[portKey]*cell
	inner []*level

	layers        [][]*cell
	top, bottom   []float64 // of each layer
	width, height float64
	left, above   float64 // where the level begins in the picture
}

type portKey struct {
	edge     int
	entering bool
}

// cell is a box, a frame, a port, or a bend of a long link. Its place is that
// of its upper side's middle, in its level.
type cell struct {
	node    int    // in Nodes; -1: something else
	level   *level // of a frame: what is inside
	port    bool
	bend    bool
	layer   int
	order   int
	x, y    float64
	w, h    float64
	off     float64 // from the middle to that of the foremost box of a stack
	in, out []*link
}

// link is the part of an edge between two cells of a level.
type link struct {
	edge     int
	from, to *cell
	back     bool // against the direction of the layers: part of a cycle of frames
}

// levels builds the tree of levels and the way of each edge through it.
func levels(g *graph) (root *level, route [][]*level) {
	root = newLevel(-1)
	of := make([]*level, len(g.Groups))
	parent := map[*level]*level{}
	for i, f := range g.Groups {
		around := root
		if f.parent >= 0 {
			around = of[f.parent]
		}
		of[i] = newLevel(i)
		of[i].self = &cell{node: -1, level: of[i]}
		around.cells = append(around.cells, of[i].self)
		around.inner = append(around.inner, of[i])
		parent[of[i]] = around
	}
	cells, home := make([]*cell, len(g.Nodes)), make([]*level, len(g.Nodes))
	for i, n := range g.Nodes {
		home[i] = root
		if n.frame >= 0 {
			home[i] = of[n.frame]
		}
		cells[i] = &cell{node: i}
		cells[i].w, cells[i].h = size(n)
		if n.Each != "" {
			cells[i].off = -stack / 2
		}
		home[i].cells = append(home[i].cells, cells[i])
	}
	up := func(l *level) []*level { // from l to the root
		way := []*level{l}
		for ; parent[l] != nil; l = parent[l] {
			way = append(way, parent[l])
		}
		return way
	}
	route = make([][]*level, len(g.Edges))
	for i, e := range g.Edges {
		leaving, entering := up(home[e.from]), up(home[e.to])
		for len(leaving) > 1 && len(entering) > 1 && leaving[len(leaving)-2] == entering[len(entering)-2] {
			leaving, entering = leaving[:len(leaving)-1], entering[:len(entering)-1]
		}
		from, to := cells[e.from], cells[e.to]
		common := leaving[len(leaving)-1]
		for _, l := range leaving[:len(leaving)-1] {
			l.connect(i, from, l.port(i, false))
			from = l.self
			route[i] = append(route[i], l)
		}
		var down []*level
		for _, l := range entering[:len(entering)-1] {
			l.connect(i, l.port(i, true), to)
			to = l.self
			down = append([]*level{l}, down...)
		}
		common.connect(i, from, to)
		route[i] = append(append(route[i], common), down...)
	}
	return root, route
}

func newLevel(frame int) *level { return &level{frame: frame, ports: map[portKey]*cell{}} }

func (l *level) port(edge int, entering bool) *cell {
	c := &cell{node: -1, port: true, w: 12}
	l.ports[portKey{edge, entering}] = c
	l.cells = append(l.cells, c)
	return c
}

func (l *level) connect(edge int, from, to *cell) {
	if from == to {
		return
	}
	l.links = append(l.links, &link{edge: edge, from: from, to: to})
}

// shift is how far from the middle of the cell an edge meets it.
func (c *cell) shift(edge int, entering bool) float64 {
	if c.level == nil {
		return c.off
	}
	if p := c.level.ports[portKey{edge, entering}]; p != nil {
		return p.x - c.level.width/2
	}
	return 0
}
