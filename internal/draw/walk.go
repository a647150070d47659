package draw

// lines is what stands in the box of a node.
func (n node) lines() []string {
	lines := []string{clip(n.Label, 40)}
	for _, more := range []string{n.Run, n.Each, n.When} {
		if more != "" {
			lines = append(lines, clip(more, 40))
		}
	}
	return lines
}

// nested visits the nodes frame by frame: what is in no frame first, then each
// frame between its opening and its closing.
func (g *graph) nested(turn func(group, depth int, opens bool), visit func(node, depth int)) {
	groups, nodes := map[int][]int{}, map[int][]int{}
	for i, f := range g.Groups {
		groups[f.parent] = append(groups[f.parent], i)
	}
	for i := range g.Nodes {
		nodes[g.Nodes[i].frame] = append(nodes[g.Nodes[i].frame], i)
	}
	var walk func(group, depth int)
	walk = func(group, depth int) {
		for _, n := range nodes[group] {
			visit(n, depth)
		}
		for _, child := range groups[group] {
			turn(child, depth, true)
			walk(child, depth+1)
			turn(child, depth, false)
		}
	}
	walk(-1, 0)
}
