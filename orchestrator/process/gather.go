package process

import (
	"cmp"
	"slices"

	"github.com/deedrun/deed/orchestrator/definition"
	"github.com/deedrun/deed/task"
)

// gathered is a list that shares its tail: an append copies nothing.
type gathered struct {
	task.Source
	older  *gathered
	count  int  // of sources, up to here
	bytes  int  // of inline parts, up to here
	stored bool // some source up to here is a manifest
}

// gather adds what a report contributes to what the node wrote.
func (n *node) gather(source task.Source) {
	g := &gathered{Source: source, older: n.gathered, count: 1, stored: source.Report != nil || source.Merged != nil}
	for _, p := range source.Parts {
		g.bytes += inlineSize(p)
	}
	if n.gathered != nil {
		g.count += n.gathered.count
		g.bytes += n.gathered.bytes
		g.stored = g.stored || n.gathered.stored
	}
	n.gathered = g
}

// Reports is how many reports the state remembers: those of steps whose lists of
// what was written are not sealed yet. It is what makes a state large.
func (s State) Reports() int {
	count := 0
	for _, n := range s.nodes {
		if n.gathered != nil {
			count += n.gathered.count
		}
	}
	return count
}

// inlineSize is how much an inline part costs in events and messages, about.
func inlineSize(p task.Produced) int {
	n := 60 + len(p.Data) + len(p.Key) + len(p.Name) + len(p.Value)
	if p.Ref != nil {
		n += 100 + len(p.Ref.Key) + len(p.Ref.URL) + len(p.Ref.ETag)
	}
	return n
}

// sources lists what was gathered, oldest first.
func (n *node) sources() []task.Source {
	var all []task.Source
	for g := n.gathered; g != nil; g = g.older {
		all = append(all, g.Source)
	}
	slices.Reverse(all)
	return all
}

// inlineParts is the list of a name whose parts were all gathered inline, in
// the one order that lists have: by key, then index, then as the task wrote them.
func (n *node) inlineParts(name string) []task.Part {
	var found []task.Produced
	for _, s := range n.sources() {
		for _, p := range s.Parts {
			if p.Data == name {
				found = append(found, p)
			}
		}
	}
	slices.SortStableFunc(found, func(a, b task.Produced) int {
		return cmp.Or(cmp.Compare(a.Key, b.Key), cmp.Compare(a.Index, b.Index))
	})
	parts := make([]task.Part, len(found))
	for i, p := range found {
		parts[i] = p.Part
	}
	return parts
}

// partsOf is the list of an output that was sealed in the core.
func (n *node) partsOf(step definition.Step, out definition.Output) []task.Part {
	if !step.Gathers(out) {
		return n.last[out.Local].Parts
	}
	return n.inlineParts(out.Data)
}

// inlineBytes is what the inline parts of a name cost together.
func (n *node) inlineBytes(name string) int {
	size := 0
	for g := n.gathered; g != nil; g = g.older {
		for _, p := range g.Parts {
			if p.Data == name {
				size += inlineSize(p)
			}
		}
	}
	return size
}
