package dryrun

import (
	"encoding/json"
	"fmt"
	"math"
	"slices"
	"strings"

	"github.com/deedrun/deed/orchestrator/definition"
	"github.com/deedrun/deed/task"
)

// reads is how many bytes a task reads, and whether all of it is there already.
func (p *one) reads(w task.Work, k, i int) (bytes int64, known bool) {
	known = true
	for _, in := range w.Inputs {
		for _, part := range p.lists.read(in, k, i) {
			bytes += part.Size()
			known = known && !isPlanned(part)
		}
	}
	return bytes, known
}

// isPlanned reports whether nobody has written a part yet.
func isPlanned(p task.Part) bool {
	return p.Name == planned && p.Ref == nil || p.Ref != nil && strings.HasPrefix(p.Ref.Key, planned)
}

// alone is the message of one task, with all that it reads listed.
func (p *one) alone(w task.Work, k, i int) task.Work {
	w.Tasks = task.Span(i, 1)
	inputs := w.Inputs
	w.Inputs = nil
	for _, in := range inputs {
		in.Lists, in.Manifest = [][]task.Part{p.lists.read(in, k, i)}, nil
		if len(in.Keys) > 0 {
			in.Keys = in.Keys[k : k+1]
		}
		w.Inputs = append(w.Inputs, in)
	}
	return w
}

// values are what is planned where a small value is to be written.
var values = map[definition.Type]string{
	definition.Number: "0", definition.String: `""`, definition.Boolean: "false", definition.Object: "{}", definition.Array: "[]",
}

// element is what the parts that a task writes inherit: the key and name of its
// element, or the key of its group. A bucket has none.
func (p *one) element(step definition.Step, w task.Work, k, i int) task.Part {
	if step.Each == nil || step.Each.Into > 0 || len(w.Inputs) == 0 {
		return task.Part{}
	}
	in := w.Inputs[0]
	if k < len(in.Keys) { // of a join, in which a key may have no parts here
		return task.Part{Key: in.Keys[k]}
	}
	all := p.lists.read(in, k, i)
	switch {
	case len(all) == 0:
		return task.Part{}
	case in.Mode == task.Element:
		return task.Part{Key: all[0].Key, Name: all[0].Name}
	}
	return task.Part{Key: all[0].Key}
}

// produce is what a task would write.
func (p *one) produce(step definition.Step, s *Step, w task.Work, k, i int, read int64) []task.Produced {
	var parts []task.Produced
	element := p.element(step, w, k, i)
	for _, out := range step.Out {
		if out.JSON != "" {
			part := task.Part{Key: element.Key, Name: planned, Value: json.RawMessage(values[out.JSON])}
			parts = append(parts, task.Produced{Index: i, Data: out.Data, Part: part})
			s.Parts++
			s.Written += part.Size()
			continue
		}
		shape := p.shapeOf(step, out, p.recorded)
		s.Sizes = worse(s.Sizes, shape.source)
		first, end := int(float64(i)*shape.parts), int(float64(i+1)*shape.parts)
		for n := first; n < end; n++ {
			part := element
			if len(shape.keys) > 0 {
				part.Key = shape.keys[n%len(shape.keys)]
			}
			part.Ref = &task.Ref{Key: fmt.Sprintf("%s%s/%s/%d/%d", planned, p.state.ID, out.Data, i, n), Size: shape.size(read, end-first), SHA256: fmt.Sprintf("%d", n)}
			parts = append(parts, task.Produced{Index: i, Data: out.Data, Part: part})
			s.Parts++
			s.Written += part.Size()
		}
	}
	return parts
}

// size is that of one of several parts of a task that reads so much.
func (s shape) size(read int64, parts int) int64 {
	switch {
	case s.bytes < 0:
		return read / int64(max(1, parts))
	case s.ratio > 0:
		return int64(math.Round(float64(read) * s.ratio / float64(max(1, parts))))
	}
	return int64(s.bytes)
}

// worse is the less certain of two sources.
func worse(a, b Source) Source {
	order := []Source{"", Assumed, Recorded, Guessed}
	return order[max(slices.Index(order, a), slices.Index(order, b))]
}
