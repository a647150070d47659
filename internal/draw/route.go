package draw

import (
	"cmp"
	"fmt"
	"slices"
	"strings"
)

// station is where an edge runs straight down, from y0 to y1.
type station struct{ x, y0, y1 float64 }

// spread is where the edges of a node leave it or meet it: side by side, in the
// order of where they go, so that they do not cross at once.
func (l *level) spread(into map[portKey]float64) {
	fan := func(c *cell, links []*link, entering bool, other func(*link) *cell) {
		sorted := slices.Clone(links)
		x := func(k *link) float64 { return other(k).x + other(k).shift(k.edge, !entering) }
		slices.SortStableFunc(sorted, func(a, b *link) int { return cmp.Compare(x(a), x(b)) })
		n := len(sorted)
		for i, k := range sorted {
			step := min(18, (c.w-40)/float64(max(1, n-1)))
			into[portKey{k.edge, entering}] = c.off + (float64(i)-float64(n-1)/2)*step
		}
	}
	for _, c := range l.cells {
		if c.node >= 0 {
			fan(c, c.out, false, func(k *link) *cell { return k.to })
			fan(c, c.in, true, func(k *link) *cell { return k.from })
		}
	}
	for _, in := range l.inner {
		in.left, in.above = l.left+in.self.x-in.width/2, l.above+in.self.y
		in.spread(into)
	}
}

// stations follows an edge through the levels of its route.
func stations(edge int, route []*level, links map[*level]map[int][]*link, spread map[portKey]float64) []station {
	var way []station
	for i, l := range route {
		for j, k := range links[l][edge] {
			if i == 0 && j == 0 {
				x := l.left + k.from.x + spread[portKey{edge, false}]
				way = append(way, station{x: x, y0: l.above + k.from.y + k.from.h, y1: l.above + l.bottom[k.from.layer]})
			} else if k.from.level != nil {
				way[len(way)-1].y1 = l.above + l.bottom[k.from.layer]
			}
			switch at := l.above + l.top[k.to.layer]; {
			case k.to.bend:
				way = append(way, station{x: l.left + k.to.x, y0: at, y1: l.above + l.bottom[k.to.layer]})
			case k.to.port:
				way = append(way, station{x: l.left + k.to.x, y0: l.above + l.height, y1: l.above + l.height})
			case k.to.level != nil:
				inner := k.to.level
				port := inner.ports[portKey{edge, true}]
				way = append(way, station{x: inner.left + port.x, y0: at, y1: inner.above + inner.top[0]})
			default:
				x := l.left + k.to.x + spread[portKey{edge, true}]
				way = append(way, station{x: x, y0: at, y1: l.above + k.to.y})
			}
		}
	}
	begin, end := links[route[0]][edge], links[route[len(route)-1]][edge]
	if len(begin) == 0 || len(end) == 0 {
		return nil
	}
	if n := len(way) - 1; len(end[len(end)-1].to.in) == 1 {
		way[n].x = near(way[n].x, way[n-1].x)
	} else if len(begin[0].from.out) == 1 {
		way[0].x = near(way[0].x, way[1].x)
	}
	return way
}

// near is the wish if it is so close that a bow would look like a slip.
func near(x, wish float64) float64 {
	if abs(x-wish) < 14 {
		return wish
	}
	return x
}

// curve is the way as an SVG path.
func curve(way []station) string {
	var b strings.Builder
	fmt.Fprintf(&b, "M%.1f %.1f", way[0].x, way[0].y0)
	for i, s := range way {
		if i > 0 {
			last := way[i-1]
			bow := max((s.y0-last.y1)/2, 12)
			if s.y0 < last.y1 { // back, against the layers
				bow = 60
			}
			fmt.Fprintf(&b, "C%.1f %.1f %.1f %.1f %.1f %.1f", last.x, last.y1+bow, s.x, s.y0-bow, s.x, s.y0)
		}
		if s.y1 != s.y0 {
			fmt.Fprintf(&b, "V%.1f", s.y1)
		}
	}
	return b.String()
}

// rect is a place that is taken; x and y are its middle.
type rect struct{ x, y, w, h float64 }

func (r rect) meets(o rect) bool {
	return abs(r.x-o.x) < (r.w+o.w)/2 && abs(r.y-o.y) < (r.h+o.h)/2
}

func abs(x float64) float64 { return max(x, -x) }

// labels keeps texts at edges apart.
type labels struct{ taken []rect }

// find is the place for a text at an edge: in the middle of a wide enough gap
// between layers, or near it if somebody is there.
func (l *labels) find(way []station, width float64) (x, y float64) {
	const height = 15
	var first rect
	for _, t := range []float64{0.5, 0.36, 0.64, 0.25, 0.75} {
		for i := len(way) - 1; i > 0; i-- {
			from, to := way[i-1], way[i]
			if to.y0-from.y1 < between-1 && len(way) > 2 {
				continue
			}
			s := 1 - t
			bend := s*s*s + 3*s*s*t // the part of from.x in the curve at t
			at := rect{x: from.x*bend + to.x*(1-bend), w: width, h: height}
			mid := (from.y1 + to.y0) / 2
			at.y = s*s*s*from.y1 + 3*s*t*mid + t*t*t*to.y0
			if first.w == 0 {
				first = at
			}
			if !slices.ContainsFunc(l.taken, at.meets) {
				l.taken = append(l.taken, at)
				return at.x, at.y
			}
		}
	}
	if first.w == 0 {
		first = rect{x: (way[0].x + way[1].x) / 2, y: (way[0].y1 + way[1].y0) / 2, w: width, h: height}
	}
	l.taken = append(l.taken, first)
	return first.x, first.y
}
