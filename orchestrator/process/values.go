package process

import (
	"bytes"
	"encoding/json"
	"fmt"
	"strconv"

	"github.com/deedrun/deed/orchestrator/definition"
	"github.com/deedrun/deed/task"
)

// checkValue refuses a part that is not one small value of its declared type.
func checkValue(typ definition.Type, p task.Part) error {
	switch {
	case p.Ref != nil || len(p.Value) == 0:
		return fmt.Errorf("which is to be a small value (json: %s), a blob", typ)
	case len(p.Value) > task.MaxValue:
		return fmt.Errorf("which is to be a small value (json: %s), %d bytes; at most %d are allowed", typ, len(p.Value), task.MaxValue)
	case !json.Valid(p.Value):
		return fmt.Errorf("which is to be a small value (json: %s), what is no JSON", typ)
	}
	if is := typeOf(p.Value); is != typ {
		return fmt.Errorf("which is to be a %s, the %s %s", typ, is, clip(string(p.Value), 100))
	}
	return nil
}

// typeOf is the type of valid JSON; "null" for null.
func typeOf(value json.RawMessage) definition.Type {
	switch bytes.TrimSpace(value)[0] {
	case '{':
		return definition.Object
	case '[':
		return definition.Array
	case '"':
		return definition.String
	case 't', 'f':
		return definition.Boolean
	case 'n':
		return "null"
	}
	return definition.Number
}

// values is what the conditions of steps are told by: what is sealed.
type values struct{ State }

// Value is the small value of a name, or the list of them if the step that
// writes it has a task for each of several things. A skipped step wrote none.
func (v values) Value(name string) (json.RawMessage, bool) {
	data, ok := v.Data(name)
	if !ok || data.Manifest != nil {
		return nil, false
	}
	if w, written := v.graph.writer[name]; written && v.graph.def.Steps[w].Each != nil {
		return jsonList(data.Parts), true
	}
	return single(data)
}

// Param is a parameter of the process.
func (v values) Param(name string) (json.RawMessage, bool) {
	p, ok := v.Definition.Params[name]
	return p, ok
}

// Dataset is what is known of a name.
func (v values) Dataset(name string) (task.Dataset, bool) { return v.Data(name) }

// roundValues is what the end of a repeated step is told by: what a round wrote.
type roundValues struct {
	wrote  map[string]task.Dataset
	rounds int
	params map[string]json.RawMessage
}

// Value is a small value that the round wrote, or "round", its number from 1.
func (v roundValues) Value(name string) (json.RawMessage, bool) {
	if data, ok := v.wrote[name]; ok {
		return single(data)
	}
	if name == definition.Round {
		return json.RawMessage(strconv.Itoa(v.rounds)), true
	}
	return nil, false
}

// Param is a parameter of the process that repeats.
func (v roundValues) Param(name string) (json.RawMessage, bool) {
	p, ok := v.params[name]
	return p, ok
}

// Dataset is what is known of a name that the round wrote.
func (v roundValues) Dataset(name string) (task.Dataset, bool) {
	d, ok := v.wrote[name]
	return d, ok
}

// single is the one value of a list; a longer one is a list of values.
func single(data task.Dataset) (json.RawMessage, bool) {
	switch {
	case data.Manifest != nil || len(data.Parts) == 0:
		return nil, false
	case len(data.Parts) > 1:
		return jsonList(data.Parts), true
	case len(data.Parts[0].Value) == 0:
		return nil, false
	}
	return data.Parts[0].Value, true
}

func jsonList(parts []task.Part) json.RawMessage {
	list := []byte{'['}
	for i, p := range parts {
		if i > 0 {
			list = append(list, ',')
		}
		if len(p.Value) == 0 {
			list = append(list, "null"...)
			continue
		}
		list = append(list, p.Value...)
	}
	return append(list, ']')
}
