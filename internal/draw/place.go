package draw

import "math"

// Distances, in pixels.
const (
	besides   = 28.0 // between cells of a layer
	between   = 58.0 // between layers
	atPort    = 26.0 // between a frame's side and what is inside
	padding   = 18.0 // inside a frame, left and right
	titleRoom = 34.0 // inside a frame, above
	margin    = 24.0 // around the picture
)

// lay lays out the level, inner levels first, and finds its size.
func (l *level) lay(minWidth func(frame int) float64) {
	for _, in := range l.inner {
		in.lay(minWidth)
		in.self.w, in.self.h = in.width, in.height
	}
	if len(l.cells) == 0 {
		l.width, l.height = 2*padding, titleRoom
		return
	}
	l.layer()
	l.order()
	l.columns()
	l.rows()
	least, most := math.Inf(1), math.Inf(-1)
	for _, c := range l.cells {
		least, most = min(least, c.x-c.w/2), max(most, c.x+c.w/2)
	}
	side := margin
	if l.frame >= 0 {
		side = padding
	}
	l.width = most - least + 2*side
	extra := max(0, minWidth(l.frame)-l.width)
	l.width += extra
	for _, c := range l.cells {
		c.x += side + extra/2 - least
	}
}

// rows stacks the layers.
func (l *level) rows() {
	y := margin
	if l.frame >= 0 {
		y = titleRoom
	}
	portsAbove := false
	for i, layer := range l.layers {
		height, ports := 0.0, true
		for _, c := range layer {
			height = max(height, c.h)
			ports = ports && (c.port || c.bend)
		}
		switch {
		case i > 0 && (ports || portsAbove):
			y += atPort
		case i > 0:
			y += between
		}
		portsAbove = ports
		for _, c := range layer {
			c.y = y + (height-c.h)/2
		}
		l.top, l.bottom = append(l.top, y), append(l.bottom, y+height)
		y += height
	}
	l.height = y + margin
	if l.frame >= 0 {
		l.height = y + padding
	}
	for key, p := range l.ports {
		if p.y = l.height; key.entering {
			p.y = 0
		}
	}
}

// columns moves the cells of each layer to where their links pull them, in
// their order and without touching.
func (l *level) columns() {
	for _, layer := range l.layers {
		x := 0.0
		for _, c := range layer {
			c.x = x + c.w/2
			x += c.w + besides
		}
		for _, c := range layer {
			c.x -= (x - besides) / 2
		}
	}
	const rounds = 17 // the last one downwards, so that what nothing follows stands below its writer
	for i := range rounds {
		for at := range l.layers {
			layer := l.layers[at]
			if i%2 == 1 {
				layer = l.layers[len(l.layers)-1-at]
			}
			wish, weight := make([]float64, len(layer)), make([]float64, len(layer))
			for j, c := range layer {
				wish[j], weight[j] = c.pull(i%2 == 0 || i >= rounds-4, i%2 == 1 || i >= rounds-4)
			}
			settle(layer, wish, weight)
		}
	}
}

// pull is where the neighbours above, below or both want the cell, and how
// much: a bend strongly, so that long links are straight.
func (c *cell) pull(above, below bool) (x, weight float64) {
	sum, n := 0.0, 0.0
	add := func(k *link, other *cell) {
		w := 1.0
		if other.bend && c.bend {
			w = 4
		}
		sum += w * (other.x + other.shift(k.edge, other == k.to) - c.shift(k.edge, c == k.to))
		n += w
	}
	if above {
		for _, k := range c.in {
			add(k, k.from)
		}
	}
	if below {
		for _, k := range c.out {
			add(k, k.to)
		}
	}
	if n == 0 {
		return c.x, 0.1
	}
	if c.bend {
		return sum / n, 4
	}
	return sum / n, 1
}

// settle gives the cells the places nearest to their wishes (least squares, by
// pooling neighbours that want to pass each other).
func settle(layer []*cell, wish, weight []float64) {
	type pool struct {
		at, weight float64
		cells      int
	}
	var pools []pool
	offset := make([]float64, len(layer))
	for i, c := range layer {
		if i > 0 {
			last := layer[i-1]
			offset[i] = offset[i-1] + (last.w+c.w)/2 + besides
			if last.bend || c.bend || last.port || c.port {
				offset[i] -= besides / 2
			}
		}
		p := pool{at: wish[i] - offset[i], weight: weight[i], cells: 1}
		for len(pools) > 0 && pools[len(pools)-1].at > p.at {
			q := pools[len(pools)-1]
			pools = pools[:len(pools)-1]
			sum := p.weight + q.weight
			p = pool{at: (p.at*p.weight + q.at*q.weight) / sum, weight: sum, cells: p.cells + q.cells}
		}
		pools = append(pools, p)
	}
	i := 0
	for _, p := range pools {
		for range p.cells {
			layer[i].x = p.at + offset[i]
			i++
		}
	}
}
