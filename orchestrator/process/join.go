package process

import (
	"fmt"
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
		if data, _ := s.Data(b.Data); len(keysOf(data)) != data.Keys {
			return 0, fmt.Sprintf("%s has %d distinct keys, too many or too long to be listed for a join; write `by key into N` to share them among N tasks",
				b.Data, data.Keys)
		}
	}
	keys := s.joinedKeys(step)
	if len(keys) > MaxKeys {
		return 0, fmt.Sprintf("there are %d distinct keys, and `each: %s` takes at most %d; write `by key into N` to share them among N tasks",
			len(keys), step.Each, MaxKeys)
	}
	return len(keys), ""
}

// joinedKeys is the keys of a join, in order.
func (s State) joinedKeys(step definition.Step) []string {
	var keys []string
	for _, b := range joined(*step.Each) {
		data, _ := s.Data(b.Data)
		keys = append(keys, keysOf(data)...)
	}
	slices.Sort(keys)
	return slices.Compact(keys)
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
	return keys
}

// keyOf is the key that task index of a join is about.
func (s State) keyOf(step definition.Step, index int) string {
	if keys := s.joinedKeys(step); index < len(keys) {
		return keys[index]
	}
	return ""
}

// join is what tasks read of the names of a join by its keys.
func (s State) join(step definition.Step, tasks task.Ranges) []task.Input {
	keys := s.joinedKeys(step)
	var inputs []task.Input
	for _, b := range joined(*step.Each) {
		in := task.Input{Local: b.Local, Mode: task.Group, Keys: make([]string, 0, tasks.Len())}
		for i := range tasks.All() {
			if i < len(keys) { // a damaged history may have more tasks
				in.Keys = append(in.Keys, keys[i])
			}
		}
		data, _ := s.Data(b.Data)
		if data.Manifest != nil {
			in.Manifest, in.Digest = data.Manifest, data.Digest
			inputs = append(inputs, in)
			continue
		}
		groups := make(map[string][]task.Part, data.Keys)
		for run := range runs(data.Parts) {
			groups[run[0].Key] = run
		}
		for _, key := range in.Keys {
			in.Lists = append(in.Lists, groups[key])
		}
		inputs = append(inputs, in)
	}
	return inputs
}
