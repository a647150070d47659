package file

import (
	"cmp"
	"encoding/json"
	"fmt"
	"maps"
	"slices"

	"github.com/deedrun/deed/orchestrator/definition"
	"github.com/deedrun/deed/orchestrator/definition/parse"
	"github.com/deedrun/deed/specs"
	"github.com/deedrun/deed/task"
)

// maxParts is the most parts that a file may speak of in one place.
const maxParts = 10_000

// parts is a list of parts, of which only the keys matter: a number of them,
// 3; their keys, [a, a, b]; or how many under each key, {a: 2, b: 1}.
type parts struct {
	definition.Pos
	count int
	keys  map[string]int // nil: not said
}

func (r *reader) parts(t *parse.Tree, what string) (parts, bool) {
	p := parts{Pos: t.Pos}
	faults := len(r.faults)
	switch n, isNumber := t.Whole(); {
	case isNumber && n >= 0:
		p.count = n
	case t.IsList():
		p.keys = map[string]int{}
		for _, item := range t.Items {
			key, ok := item.Scalar()
			if !ok {
				r.fault(item.Pos, "wrong-type", "", "a key must be a text, not %s", item)
			}
			p.keys[key]++
			p.count++
		}
	case t.IsMapping():
		p.keys = map[string]int{}
		for _, e := range t.Entries {
			n, ok := e.Value.Whole()
			if !ok || n < 0 {
				r.fault(e.Value.Pos, "wrong-type", "", "key %s must have a number of parts, not %s", quote(e.Key.Value), e.Value)
				continue
			}
			p.keys[e.Key.Value] = n
			p.count = min(p.count+min(n, maxParts+1), maxParts+1)
		}
	default:
		r.fault(t.Pos, "wrong-type", "write 3, or the keys: [a, a, b], or how many under each: {a: 2, b: 1}",
			"%s must be a number of parts, not %s", what, t)
	}
	if p.count > maxParts {
		r.fault(t.Pos, "too-large", "a specification shows a rule; a smaller number shows it as well", "%s has more than %d parts", what, maxParts)
	}
	return p, len(r.faults) == faults
}

// list is the parts themselves, in the order in which a sealed list has them.
func (p parts) list(name string) []task.Part {
	if p.keys == nil {
		all := make([]task.Part, p.count)
		for i := range all {
			all[i].Value = value(name, i)
		}
		return all
	}
	var all []task.Part
	for _, key := range slices.Sorted(maps.Keys(p.keys)) {
		for range p.keys[key] {
			all = append(all, task.Part{Key: key, Value: value(name, len(all))})
		}
	}
	return all
}

// expected is what a name should hold.
func (p parts) expected() specs.Parts { return specs.Parts{Count: p.count, Keys: p.keys} }

func value(name string, i int) json.RawMessage {
	return json.RawMessage(fmt.Sprintf("%q", fmt.Sprintf("%s %d", name, i)))
}

func byName(all []named) []named {
	return slices.SortedFunc(slices.Values(all), func(a, b named) int { return cmp.Compare(a.name.Value, b.name.Value) })
}
