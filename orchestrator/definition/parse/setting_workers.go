package parse

import (
	"go.yaml.in/yaml/v3"

	"github.com/deedrun/deed/orchestrator/definition"
	"github.com/deedrun/deed/task"
)

// What a step asks of those who execute its tasks.

func (r *reader) pool(n *yaml.Node) *definition.Setting[string] {
	if !isText(n) {
		r.fault(n, "wrong-type", quotes(n), "pool must be the name of a pool, not %s", describe(n))
		return nil
	}
	return parsed(r, n, "pool", definition.ParsePool)
}

func (r *reader) rate(n *yaml.Node) *definition.Setting[definition.Rate] {
	switch {
	case isNumber(n):
		r.fault(n, "wrong-type", "write "+clip(n.Value)+"/s, or "+clip(n.Value)+"/h", "rate says not in which time")
		return nil
	case !isText(n):
		r.fault(n, "wrong-type", "write it like 5000/h", "rate must be a number of tasks in a time, not %s", describe(n))
		return nil
	}
	return parsed(r, n, "rate", definition.ParseRate)
}

// needs reads what each task needs; {} is nothing, which is how a step says so
// inside a group that says otherwise.
func (r *reader) needs(n *yaml.Node) *definition.Setting[task.Resources] {
	said := definition.Setting[task.Resources]{Pos: r.pos(n)}
	r.harmless(func() {
		r.keys(r.entries(n, "needs", "write {cpu: 2, memory: 4GiB}"), "needs", map[string]func(entry){
			"cpu":    func(e entry) { need(r, e.value, "cpu", &said.Value.CPU, definition.ParseCPU) },
			"memory": func(e entry) { need(r, e.value, "memory", &said.Value.Memory, definition.ParseMemory) },
			"gpu":    func(e entry) { need(r, e.value, "gpu", &said.Value.GPU, definition.ParseGPU) },
		})
	})
	return &said
}

// limits reads what each program may use; {} is no limit.
func (r *reader) limits(n *yaml.Node) *definition.Setting[task.Limits] {
	said := definition.Setting[task.Limits]{Pos: r.pos(n)}
	r.harmless(func() {
		r.keys(r.entries(n, "limits", "write {memory: 2GiB, cpu: 10m, files: 256}"), "limits", map[string]func(entry){
			"memory": func(e entry) { need(r, e.value, "memory", &said.Value.Memory, definition.ParseLimitMemory) },
			"cpu":    func(e entry) { need(r, e.value, "cpu", &said.Value.CPUTime, definition.ParseLimitCPU) },
			"files":  func(e entry) { need(r, e.value, "files", &said.Value.OpenFiles, definition.ParseLimitFiles) },
		})
	})
	return &said
}

func need[T any](r *reader, n *yaml.Node, what string, to *T, parse func(string) (T, error)) {
	if !isNumber(n) && !isText(n) {
		r.fault(n, "wrong-type", "leave it out if none is needed", "%s must say how much, not %s", what, describe(n))
		return
	}
	if v := parsed(r, n, what, parse); v != nil {
		*to = v.Value
	}
}
