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
	tasks := done.Tasks
	work, err := process.Message(c.state, process.Enqueue{Address: done.Address, Generation: done.Generation, Attempt: done.Attempt}, tasks)
	if err != nil { // it is late, or about tasks that are not there: that the core decides
		return done, nil
	}
	if work.Seal != nil {
		return c.withMerge(done, work.Seal, h)
	}
	var outputs []string
	usual := map[string]json.RawMessage{} // small values
	for _, out := range work.Outputs {
		outputs = append(outputs, out.Data)
		if out.JSON != "" {
			usual[out.Data] = unsaid[out.JSON]
		}
	}
	for _, v := range h.values {
		if err := c.known("output of "+done.Address, v.name, outputs); err != nil {
			return nil, err
		}
		if _, isValue := usual[v.name.Value]; !isValue {
			return nil, at(v.name.Pos, "%s is no small value: its type is not declared in out", quote(v.name.Value))
		}
		usual[v.name.Value] = v.json
	}
	said := map[string]parts{}
	for _, w := range h.writes {
		if err := c.known("output of "+done.Address, w.name, outputs); err != nil {
			return nil, err
		}
		said[w.name.Value] = w.parts
	}
	nth := 0
	for index := range tasks.All() {
		inherited := inheritedKey(work, nth)
		for _, name := range outputs {
			list := []task.Part{{Key: inherited, Value: value(name, index)}}
			if p, ok := said[name]; ok {
				if list = p.list(name); p.keys == nil {
					for i := range list {
						list[i].Key = inherited
					}
				}
			}
			if small, ok := usual[name]; ok {
				for i := range list {
					list[i].Value = small
				}
			}
			if err := c.spend(len(list)); err != nil {
				return nil, err
			}
			for _, part := range list {
				done.Parts = append(done.Parts, task.Produced{Index: index, Data: name, Part: part})
			}
		}
		nth++
	}
	return done, nil
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
