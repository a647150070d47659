package definition

import (
	"fmt"
	"slices"
	"strings"
)

// maxFollows bounds how many pairs of steps `after` may order in all: a group
// counts once for each of its steps.
const maxFollows = 100_000

// edge says that step to waits for step from, and why.
type edge struct {
	to   int
	data string // "": it comes after it
}

// order checks `after`, and that no step waits for itself.
func (c *checker) order() {
	number := make(map[*node]int, len(c.steps))
	for i, n := range c.steps {
		number[n] = i
	}
	edges := make([][]edge, len(c.steps))
	for i, n := range c.steps {
		for _, data := range c.readBy(n) {
			if w := c.writers[data.Value].step; w != nil {
				from := number[w]
				edges[from] = append(edges[from], edge{to: i, data: data.Value})
			}
		}
	}
	inside := c.inside()
	follows := 0
	for i, n := range c.steps {
		for _, at := range n.After {
			target := c.after(n, at)
			if target == nil {
				continue
			}
			if follows += len(inside[target]); follows > maxFollows {
				c.fault(at.Pos, n, "too-many-after", "let the steps share data instead", "after orders more than %d pairs of steps", maxFollows)
				return
			}
			for _, s := range inside[target] {
				edges[number[s]] = append(edges[number[s]], edge{to: i})
			}
		}
	}
	for _, steps := range components(edges) {
		c.cycle(edges, steps)
	}
	for _, child := range c.inline() {
		child.order()
	}
}

// inside lists for every node the steps that its address speaks for.
func (c *checker) inside() map[*node][]*node {
	inside := make(map[*node][]*node, len(c.nodes))
	for _, s := range c.steps {
		for n := s; n != nil; n = n.parent {
			inside[n] = append(inside[n], s)
		}
	}
	return inside
}

// after finds the node that an address in `after` means; nil is refused. It begins
// at the outermost group of the file, as every address does.
func (c *checker) after(n *node, at Text) *node {
	inside, within := strings.CutPrefix(at.Value, c.prefix)
	target := c.byAddress[inside]
	if !within {
		target = nil
	}
	switch {
	case target == nil && !isAddress(at.Value):
		c.badAddress(at, n)
	case target == nil && c.src.Partial:
	case target == nil:
		c.notAfter(n, at)
	case target == n:
		c.fault(at.Pos, n, "after-itself", "take it out", "the step comes after itself")
		return nil
	case strings.HasPrefix(n.address, target.address+"/"):
		c.fault(at.Pos, n, "after-itself", "name the steps of the group that come first", "the step comes after %s, the group it is in", quote(at.Value))
		return nil
	}
	return target
}

// notAfter refuses an address that is none of this process.
func (c *checker) notAfter(n *node, at Text) {
	if _, in := c.top().find(at.Value); in != nil && in != c {
		if strings.HasPrefix(at.Value, c.outside(n)+"/") {
			c.fault(at.Pos, n, "after-itself", "take it out", "the step comes after %s, which is inside of it", quote(at.Value))
			return
		}
		hint := "name the step that has the child"
		if c.around != nil {
			hint = "a child begins when its step does: write after: in " + c.around.outside(c.as)
		}
		c.fault(at.Pos, n, "after-outside", hint, "after %s, which is not in the same process", quote(at.Value))
		return
	}
	hint := c.spell.address(at.Value, c.top().everywhere())
	if w := c.writers[at.Value].step; w != nil && hint == "" {
		hint = fmt.Sprintf("it is data that %s writes: read it, or write after: [%s]", c.outside(w), c.outside(w))
	}
	c.fault(at.Pos, n, "unknown-address", hint, "after %s, which does not exist", quote(at.Value))
}

// top is the checker of the file.
func (c *checker) top() *checker {
	for c.around != nil {
		c = c.around
	}
	return c
}

// cycle reports the shortest way around through the first of the steps, all
// of which wait for each other.
func (c *checker) cycle(edges [][]edge, steps []int) {
	start := slices.Min(steps)
	within := make(map[int]bool, len(steps))
	for _, n := range steps {
		within[n] = true
	}
	type arrival struct {
		from int
		data string
	}
	came := map[int]arrival{}
	for queue := []int{start}; len(queue) > 0; queue = queue[1:] {
		if _, closed := came[start]; closed {
			break
		}
		for _, e := range edges[queue[0]] {
			if _, seen := came[e.to]; !seen && within[e.to] {
				came[e.to] = arrival{from: queue[0], data: e.data}
				queue = append(queue, e.to)
			}
		}
	}
	var names, reasons []string
	for at := start; ; {
		from, ok := came[at]
		if !ok {
			return
		}
		reader, writer := c.outside(c.steps[at]), c.outside(c.steps[from.from])
		reason := fmt.Sprintf("%s comes after %s", reader, writer)
		if from.data != "" {
			reason = fmt.Sprintf("%s reads %s of %s", reader, quote(from.data), writer)
		}
		names, reasons = append(names, reader), append(reasons, reason)
		if at = from.from; at == start {
			break
		}
	}
	first := c.steps[start]
	if len(names) == 1 {
		c.fault(first.Name.Pos, first, "cycle", "write another name", "the step reads %s, which it writes itself", quote(came[start].data))
		return
	}
	slices.Reverse(names)
	slices.Reverse(reasons)
	c.fault(first.Name.Pos, first, "cycle", "take one of these out",
		"cycle: %s → %s (%s)", names[len(names)-1], strings.Join(shorten(names), " → "), strings.Join(shorten(reasons), ", "))
}

// shorten leaves out the middle of a list that is too long to read.
func shorten(words []string) []string {
	const most = 20
	if len(words) <= most {
		return words
	}
	left := fmt.Sprintf("… %d more …", len(words)-most)
	return slices.Concat(words[:most/2], []string{left}, words[len(words)-most/2:])
}

// components lists the sets of steps that wait for each other (Tarjan), of
// which every cycle is a part. A step alone is one only if it waits for itself.
func components(edges [][]edge) [][]int {
	var (
		found  [][]int
		stack  []int
		order  = make([]int, len(edges)) // from 1, in the order of the first visit
		low    = make([]int, len(edges))
		open   = make([]bool, len(edges))
		number int
		visit  func(int)
	)
	visit = func(at int) {
		number++
		order[at], low[at], open[at] = number, number, true
		stack = append(stack, at)
		self := false
		for _, e := range edges[at] {
			self = self || e.to == at
			if order[e.to] == 0 {
				visit(e.to)
			}
			if open[e.to] {
				low[at] = min(low[at], low[e.to])
			}
		}
		if low[at] != order[at] {
			return
		}
		var component []int
		for open[at] {
			last := stack[len(stack)-1]
			stack, open[last] = stack[:len(stack)-1], false
			component = append(component, last)
		}
		if len(component) > 1 || self {
			found = append(found, component)
		}
	}
	for i := range edges {
		if order[i] == 0 {
			visit(i)
		}
	}
	return found
}
