package process

import "github.com/deedrun/deed/task"

// maxInline is how many bytes of parts a name may have to be sealed in the
// core itself; more are merged by deed/seal on a worker.
const maxInline = 64 << 10

// maxInlineShared is the same for a name that a fan-out reads whole in every
// task, where the list travels in every message.
const maxInlineShared = 4 << 10

// mergeWidth and mergeBytes bound what one task of deed/seal merges, so that
// its message stays small.
const (
	mergeWidth = 256
	mergeBytes = 128 << 10
)

// mustMerge reports whether a name of the node is too large, or too scattered,
// to be sealed in the core.
func (s State) mustMerge(i int, name string) bool {
	g := s.nodes[i].gathered
	switch {
	case g == nil:
		return false
	case g.stored:
		return true
	case s.graph.readWholeByMany(name):
		return g.bytes > maxInlineShared
	}
	return g.bytes > maxInline
}

// batches cuts the sources of a first round into what each task merges. It
// depends on the sources alone, so that it can be recomputed for any task.
func batches(sources []task.Source) [][]task.Source {
	var all [][]task.Source
	first, bytes := 0, 0
	for i, s := range sources {
		cost := 200
		for _, p := range s.Parts {
			cost += inlineSize(p)
		}
		if i > first && (i-first == mergeWidth || bytes+cost > mergeBytes) {
			all = append(all, sources[first:i])
			first, bytes = i, 0
		}
		bytes += cost
	}
	if first < len(sources) {
		all = append(all, sources[first:])
	}
	return all
}

// merge is what task index of the seal of a name has to merge.
func (s State) merge(i, index int) task.Seal {
	n, name := s.nodes[i], s.graph.sealed(i)
	level := len(n.levels) - 1
	for level > 0 && index < n.levels[level] {
		level--
	}
	seal := task.Seal{Data: name, Keys: s.Definition.JoinsByKey(name)}
	if level == 0 {
		all := batches(s.nodes[s.graph.writer[name]].sources())
		if index < len(all) {
			for _, source := range all[index] {
				if source = only(source, name); source.Report != nil || source.Merged != nil || len(source.Parts) > 0 {
					seal.Sources = append(seal.Sources, source)
				}
			}
		}
		return seal
	}
	from := n.levels[level-1] + (index-n.levels[level])*mergeWidth
	to := min(from+mergeWidth, n.levels[level], len(n.merged))
	for i := from; i < to; i++ {
		if d := n.merged[i]; d.Manifest != nil {
			seal.Sources = append(seal.Sources, task.Source{Merged: d.Manifest})
		}
	}
	return seal
}

// only is the source without the inline parts of other names.
func only(s task.Source, name string) task.Source {
	var parts []task.Produced
	for _, p := range s.Parts {
		if p.Data == name {
			parts = append(parts, p)
		}
	}
	s.Parts = parts
	if s.Merged != nil && s.Data != name {
		s.Merged, s.Data = nil, ""
	}
	return s
}
