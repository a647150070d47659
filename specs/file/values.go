package file

import (
	"encoding/json"

	"github.com/deedrun/deed/orchestrator/definition"
	"github.com/deedrun/deed/orchestrator/definition/parse"
)

// said is the small value that tasks wrote to an output.
type said struct {
	name definition.Text
	json json.RawMessage
}

// unsaid is what tasks write to an output of a type if no value is said.
var unsaid = map[string]json.RawMessage{
	string(definition.Number):  json.RawMessage("0"),
	string(definition.String):  json.RawMessage(`""`),
	string(definition.Boolean): json.RawMessage("false"),
	string(definition.Object):  json.RawMessage("{}"),
	string(definition.Array):   json.RawMessage("[]"),
}

// said reads values by output. That one is of another type than is declared is for
// the core to say, as it does of what workers report.
func (r *reader) said(t *parse.Tree) (all []said) {
	for _, e := range r.entries(t, "values", "write {NAME: 0.5}") {
		value, err := e.Value.JSON()
		if err != nil {
			r.fault(e.Value.Pos, "wrong-type", "write it as in JSON", "what is written to %s is no value", quote(e.Key.Value))
			continue
		}
		all = append(all, said{e.Key, value})
	}
	return all
}
