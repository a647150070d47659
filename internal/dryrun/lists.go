package dryrun

import (
	"cmp"
	"fmt"
	"slices"

	"github.com/deedrun/deed/task"
)

// short is how many parts the core is given as a list; longer ones it gets as
// manifests, which lie here.
const short = 64

// lists is the parts of the manifests of a plan. They are in the order that
// manifests have.
type lists struct {
	byKey map[string]*list
}

type list struct {
	parts []task.Part
	runs  []run // of the same key
	data  task.Dataset
}

type run struct {
	key   string
	parts []task.Part
}

func newLists() *lists { return &lists{byKey: map[string]*list{}} }

// of is parts as a dataset.
func (l *lists) of(parts []task.Part) task.Dataset {
	if len(parts) <= short {
		return task.Inline(parts)
	}
	return l.manifest(parts)
}

// manifest is parts as a dataset whose list is stored, however short it is.
func (l *lists) manifest(parts []task.Part) task.Dataset {
	data := task.Inline(parts)
	m := &list{parts: parts, runs: runsOf(parts)}
	key := fmt.Sprintf("%s%d", planned, len(l.byKey))
	size := 0
	for _, r := range m.runs {
		data.KeyNames = append(data.KeyNames, r.key)
		if size += len(r.key); size > task.MaxKeyNames {
			data.KeyNames = nil
			break
		}
	}
	data.Parts, data.Manifest = nil, &task.Manifest{Ref: task.Ref{Key: key, Size: 1, SHA256: data.Digest}}
	m.data = data
	l.byKey[key] = m
	return data
}

// planned begins the keys of blobs that nobody has written.
const planned = "planned/"

// all is the parts of a dataset.
func (l *lists) all(d task.Dataset) []task.Part {
	if d.Manifest == nil {
		return d.Parts
	}
	if m := l.byKey[d.Manifest.Key]; m != nil {
		return m.parts
	}
	return nil
}

// read is what the k-th task of a message, whose index is i, reads.
func (l *lists) read(in task.Input, k, i int) []task.Part {
	if in.Manifest == nil {
		if in.Mode == task.Whole {
			k = 0
		}
		if k < len(in.Lists) {
			return in.Lists[k]
		}
		return nil
	}
	m := l.byKey[in.Manifest.Key]
	switch {
	case m == nil:
		return nil
	case in.Mode == task.Whole:
		return m.parts
	case in.Mode == task.Element:
		return m.parts[i : i+1]
	case len(in.Keys) > 0:
		return m.under(in.Keys[k])
	case in.Into > 0:
		var found []task.Part
		for _, r := range m.runs {
			if task.Bucket(r.key, in.Into) == i {
				found = append(found, r.parts...)
			}
		}
		return found
	}
	return m.runs[i].parts
}

func (m *list) under(key string) []task.Part {
	i, found := slices.BinarySearchFunc(m.runs, key, func(r run, key string) int { return cmp.Compare(r.key, key) })
	if !found {
		return nil
	}
	return m.runs[i].parts
}

func runsOf(parts []task.Part) []run {
	var runs []run
	for first := 0; first < len(parts); {
		end := first + 1
		for end < len(parts) && parts[end].Key == parts[first].Key {
			end++
		}
		runs = append(runs, run{parts[first].Key, parts[first:end]})
		first = end
	}
	return runs
}

// merge is what a merge of lists comes to.
func (l *lists) merge(seal task.Seal) task.Dataset {
	type entry struct {
		index, ordinal int
		task.Part
	}
	var all []entry
	for _, s := range seal.Sources {
		if s.Merged == nil {
			for _, p := range s.Parts {
				all = append(all, entry{p.Index, len(all), p.Part})
			}
			continue
		}
		index := -1 // of an earlier merge, whose order is that of tasks already
		if len(s.Tasks) > 0 {
			index = s.Tasks[0].First
		}
		for _, p := range l.all(task.Dataset{Manifest: s.Merged}) {
			all = append(all, entry{index, len(all), p})
		}
	}
	slices.SortStableFunc(all, func(a, b entry) int {
		return cmp.Or(cmp.Compare(a.Key, b.Key), cmp.Compare(a.index, b.index), cmp.Compare(a.ordinal, b.ordinal))
	})
	parts := make([]task.Part, len(all))
	for i, e := range all {
		parts[i] = e.Part
	}
	return l.manifest(parts) // as the merge of a worker does: the core merges what is stored further
}
