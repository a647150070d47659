package process

import (
	"fmt"
	"iter"
	"slices"

	"github.com/deedrun/deed/orchestrator/definition"
	"github.com/deedrun/deed/task"
)

// joined lists what a join reads of each task.
func joined(e definition.Each) []definition.Binding {
	return append([]definition.Binding{e.Binding}, e.With...)
}

// countJoined is how many tasks a join has: one for every key that any of its
// names has, or one a bucket.
func (s State) countJoined(step definition.Step) (n int, reason string) {
	if step.Each.Into > 0 {
		for _, b := range joined(*step.Each) {
			if data, _ := s.Data(b.Data); data.Count > 0 {
				return step.Each.Into, ""
			}
		}
		return 0, ""
	}
	for _, b := range joined(*step.Each) {
		data, _ := s.Data(b.Data)
		keys := keysOf(data)
		if !slices.IsSorted(keys) { // an input that no deed made
			return 0, fmt.Sprintf("%s does not list its keys in order, so it cannot be joined", b.Data)
		}
		if len(keys) != data.Keys {
			return 0, fmt.Sprintf("%s has %d distinct keys, too many or too long to be listed for a join; write `by key into N` to share them among N tasks",
				b.Data, data.Keys)
		}
	}
	for range s.joinedKeys(step) {
		n++
	}
	if n > maxKeys {
		return 0, fmt.Sprintf("there are %d distinct keys, and `each: %s` takes at most %d; write `by key into N` to share them among N tasks",
			n, step.Each, maxKeys)
	}
	return n, ""
}

// joinedKeys yields the keys of a join, in order. They are merged as they are
// wanted, since every task asks for its own.
func (s State) joinedKeys(step definition.Step) iter.Seq[string] {
	var lists [][]string
	for _, b := range joined(*step.Each) {
		data, _ := s.Data(b.Data)
		lists = append(lists, keysOf(data))
	}
	return func(yield func(string) bool) {
		rest := slices.Clone(lists)
		for {
			least, some := "", false
			for _, keys := range rest {
				if len(keys) > 0 && (!some || keys[0] < least) {
					least, some = keys[0], true
				}
			}
			if !some || !yield(least) {
				return
			}
			for i, keys := range rest {
				for len(keys) > 0 && keys[0] == least {
					keys = keys[1:]
				}
				rest[i] = keys
			}
		}
	}
}

// keysOf is the distinct keys of a list, in order, as far as the core knows them.
func keysOf(data task.Dataset) []string {
	if data.Manifest != nil {
		return data.KeyNames
	}
	var keys []string
	for run := range runs(data.Parts) {
		keys = append(keys, run[0].Key)
	}
	slices.Sort(keys) // of an input whoever submits it may have put its parts in another order
	return keys
}

// keyOf is the key that task index of a join is about.
func (s State) keyOf(step definition.Step, index int) string {
	if keys := s.keysAt(step, task.Span(index, 1)); len(keys) > 0 {
		return keys[0]
	}
	return ""
}

// keysAt is the keys of some tasks of a join; a damaged history may have more tasks.
func (s State) keysAt(step definition.Step, tasks task.Ranges) []string {
	found := make([]string, 0, min(tasks.Len(), maxKeys))
	at := 0
	for key := range s.joinedKeys(step) {
		if len(tasks) == 0 {
			break
		}
		if at >= tasks[0].First {
			found = append(found, key)
		}
		if at++; at >= tasks[0].End() {
			tasks = tasks[1:]
		}
	}
	return found
}

// join is what tasks read of the names of a join by its keys.
func (s State) join(step definition.Step, tasks task.Ranges) []task.Input {
	keys := s.keysAt(step, tasks)
	var inputs []task.Input
	for _, b := range joined(*step.Each) {
		in := task.Input{Local: b.Local, Mode: task.Group, Keys: keys}
		data, _ := s.Data(b.Data)
		if data.Manifest != nil {
			in.Manifest, in.Digest = data.Manifest, data.Digest
			inputs = append(inputs, in)
			continue
		}
		in.Lists = make([][]task.Part, len(keys))
		for run := range runs(data.Parts) {
			if at, asked := slices.BinarySearch(keys, run[0].Key); asked {
				in.Lists[at] = append(slices.Clip(in.Lists[at]), run...)
			}
		}
		inputs = append(inputs, in)
	}
	return inputs
}
