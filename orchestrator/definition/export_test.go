package definition

import "encoding/json"

// Eval is the value of the expression, for tests of what conditions are made of.
func (e Expr) Eval(v Values) (json.RawMessage, error) {
	run := evaluation{values: v}
	value, err := run.eval(e, 0)
	if err != nil {
		return nil, err
	}
	return json.Marshal(value)
}
