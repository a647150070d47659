package file

import (
	"encoding/json"
	"fmt"

	"github.com/deedrun/deed/orchestrator/process"
	"github.com/deedrun/deed/task"
)

// withOutputs adds what the tasks wrote: as the file says, else one part to
// each output, which inherits the key of the element as it does on a worker. Small
// values are as the file says, else nothing.
func (c *course) withOutputs(done process.ConfirmTasks, h happening) (process.Command, error) {
	if step, isChild := c.child(done.Address); isChild {
		return c.withLists(done, step, h)
	}
	tasks := done.Tasks
	work, err := process.Message(c.state, process.Enqueue{Address: done.Address, Generation: done.Generation, Attempt: done.Attempt}, tasks)
	if err != nil { // it is late, or about tasks that are not there: that the core decides
		return done, nil
	}
	if work.Seal != nil {
		return c.withMerge(done, work.Seal, h)
	}
	w, err := c.writing(done.Address, work.Outputs, h)
	if err != nil {
		return nil, err
	}
	nth := 0
	for index := range tasks.All() {
		inherited := inheritedKey(work, nth)
		for _, out := range work.Outputs {
			list := w.list(out.Data, index, inherited)
			if err := c.spend(len(list)); err != nil {
				return nil, err
			}
			for _, part := range list {
				done.Parts = append(done.Parts, task.Produced{Index: index, Data: out.Data, Part: part})
			}
		}
		nth++
	}
	return done, nil
}

// writing is what each task of a report writes.
type writing struct {
	said  map[string]parts
	usual map[string]json.RawMessage // small values
}

func (c *course) writing(address string, outputs []task.Output, h happening) (writing, error) {
	w := writing{said: map[string]parts{}, usual: map[string]json.RawMessage{}}
	var names []string
	for _, out := range outputs {
		names = append(names, out.Data)
		if out.JSON != "" {
			w.usual[out.Data] = unsaid[out.JSON]
		}
	}
	for _, v := range h.values {
		if err := c.known("output of "+address, v.name, names); err != nil {
			return w, err
		}
		if _, isValue := w.usual[v.name.Value]; !isValue {
			return w, at(v.name.Pos, "%s is no small value: its type is not declared in out", quote(v.name.Value))
		}
		w.usual[v.name.Value] = v.json
	}
	for _, n := range h.writes {
		if err := c.known("output of "+address, n.name, names); err != nil {
			return w, err
		}
		w.said[n.name.Value] = n.parts
	}
	return w, nil
}

// list is what one task writes to an output; inherited is the key of its element.
func (w writing) list(name string, index int, inherited string) []task.Part {
	list := []task.Part{{Key: inherited, Value: value(name, index)}}
	if p, ok := w.said[name]; ok {
		if list = p.list(name); p.keys == nil {
			for i := range list {
				list[i].Key = inherited
			}
		}
	}
	if small, ok := w.usual[name]; ok {
		for i := range list {
			list[i].Value = small
		}
	}
	return list
}

// inheritedKey is the key of the element of the nth task of a message, or of its group.
func inheritedKey(work task.Work, nth int) string {
	for _, in := range work.Inputs {
		if in.Mode == task.Whole || in.Into > 0 || nth >= len(in.Lists) || len(in.Lists[nth]) == 0 {
			continue
		}
		return in.Lists[nth][0].Key
	}
	return ""
}

// withMerge adds the list that a task of deed/seal makes of what was reported.
func (c *course) withMerge(done process.ConfirmTasks, seal *task.Seal, h happening) (process.Command, error) {
	if done.Tasks.Len() != 1 {
		return nil, at(h.Pos, "%s: merges are reported one by one, such as %s[0]", h.subject.Value, done.Address)
	}
	byKey, count := map[string]int{}, 0
	for _, source := range seal.Sources {
		for _, p := range source.Parts {
			byKey[p.Key]++
			count++
		}
		if source.Merged != nil {
			for key, n := range c.merged[source.Merged.Key] {
				byKey[key] += n
				count += n
			}
		}
	}
	if err := c.spend(count); err != nil {
		return nil, err
	}
	blob := fmt.Sprintf("%s of %s %d", done.Address, seal.Data, len(c.merged))
	c.merged[blob] = byKey
	done.Sealed = &task.Dataset{
		Count: count, Keys: len(byKey),
		Manifest: &task.Manifest{Ref: task.Ref{Key: blob, Size: int64(count), SHA256: "00"}},
	}
	return done, nil
}
