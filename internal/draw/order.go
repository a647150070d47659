package draw

import (
	"cmp"
	"slices"
)

// order arranges the cells of each layer so that few links cross: each cell
// goes to the middle of its neighbours in the layer above, then of those below,
// and the best arrangement met is kept.
func (l *level) order() {
	l.number()
	best, least := l.arrangement(), l.crossings()
	const sweeps = 12
	for i := 0; i < sweeps && least > 0; i++ {
		for at := range l.layers {
			links, end := func(c *cell) []*link { return c.in }, func(k *link) *cell { return k.from }
			layer := l.layers[at]
			if i%2 == 1 {
				layer = l.layers[len(l.layers)-1-at]
				links, end = func(c *cell) []*link { return c.out }, func(k *link) *cell { return k.to }
			}
			arrange(layer, links, end)
		}
		if n := l.crossings(); n < least {
			best, least = l.arrangement(), n
		}
	}
	l.layers = best
	l.number()
}

func (l *level) number() {
	for _, layer := range l.layers {
		for i, c := range layer {
			c.order = i
		}
	}
}

func (l *level) arrangement() [][]*cell {
	kept := make([][]*cell, len(l.layers))
	for i, layer := range l.layers {
		kept[i] = slices.Clone(layer)
	}
	return kept
}

func arrange(layer []*cell, links func(*cell) []*link, end func(*link) *cell) {
	middle := make(map[*cell]float64, len(layer))
	for _, c := range layer {
		middle[c] = float64(c.order)
		if all := links(c); len(all) > 0 {
			sum := 0.0
			for _, k := range all {
				// A part of one between the ports of one frame.
				sum += float64(end(k).order) + end(k).shift(k.edge, end(k) == k.to)/1e4
			}
			middle[c] = sum / float64(len(all))
		}
	}
	slices.SortStableFunc(layer, func(a, b *cell) int { return cmp.Compare(middle[a], middle[b]) })
	for i, c := range layer {
		c.order = i
	}
}

// crossings counts pairs of links between neighbouring layers that cross.
func (l *level) crossings() int {
	total := 0
	for at, layer := range l.layers[:len(l.layers)-1] {
		var ends []int // in the order of where the links begin
		for _, c := range layer {
			begin := len(ends)
			for _, k := range c.out {
				if k.to.layer == at+1 {
					ends = append(ends, k.to.order)
				}
			}
			slices.Sort(ends[begin:])
		}
		below := make([]int, len(l.layers[at+1])+1) // a Fenwick tree of ends seen
		for seen, end := range ends {
			notAfter := 0
			for i := end + 1; i > 0; i -= i & -i {
				notAfter += below[i]
			}
			total += seen - notAfter
			for i := end + 1; i < len(below); i += i & -i {
				below[i]++
			}
		}
	}
	return total
}
