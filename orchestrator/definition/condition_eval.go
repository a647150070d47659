package definition

import (
	"encoding/json"
	"errors"
	"fmt"

	"github.com/deedrun/deed/task"
)

// Values is what an expression may look at.
type Values interface {
	// Value is the small value of a name, or the list of them if its step fans
	// out; ok is false if there is none, and the expression then sees null.
	Value(name string) (value json.RawMessage, ok bool)
	Param(name string) (value json.RawMessage, ok bool)
	Dataset(name string) (data task.Dataset, ok bool)
}

// Bounds of an expression. Deeper ones are refused by whoever reads them; the
// evaluation holds to both whatever it is handed.
const (
	MaxExprDepth = 64        // of operations in each other
	maxExprWork  = 4_000_000 // operations done and bytes touched in one evaluation
)

// Holds reports whether the condition is true; null counts as false. An error
// is about values that are not what the expression takes them for, such as the
// text of a member where a number should be. Of equal values it makes the same of
// them, on every machine and for ever.
func (c Condition) Holds(v Values) (bool, error) {
	e := evaluation{values: v}
	value, err := e.eval(c.Expr, 0)
	if err != nil {
		return false, fmt.Errorf("condition %s: %w", quote(c.Text), err)
	}
	switch value := value.(type) {
	case nil:
		return false, nil
	case bool:
		return value, nil
	}
	return false, fmt.Errorf("condition %s is %s, neither true nor false", quote(c.Text), kind(value))
}

// evaluation is one pass over an expression. Its values are what encoding/json
// makes of JSON: nil, bool, float64, string, []any and map[string]any.
type evaluation struct {
	values  Values
	element any // what # is
	work    int
}

var errTooMuch = errors.New("the expression takes too long; let a step compute it")

// spend accounts for work before it is done.
func (e *evaluation) spend(n int) error {
	if n > maxExprWork-e.work {
		return errTooMuch
	}
	e.work += n
	return nil
}

func (e *evaluation) eval(x Expr, depth int) (any, error) {
	if depth > MaxExprDepth {
		return nil, fmt.Errorf("the expression is nested deeper than %d; let a step compute it", MaxExprDepth)
	}
	if err := e.spend(1); err != nil {
		return nil, err
	}
	if want, known := arity[x.Op]; !known || len(x.Args) < want.least || len(x.Args) > want.most {
		return nil, fmt.Errorf("operation %s of %d values is not known", quote(x.Op), len(x.Args))
	}
	switch x.Op {
	case OpValue:
		return e.decode(x.Value)
	case OpName:
		return e.look(e.values.Value, x.Name)
	case OpParam:
		return e.look(e.values.Param, x.Name)
	case OpCount, OpKeys, OpBytes:
		return e.measure(x), nil
	case OpElement:
		return e.element, nil
	case "&&", "||", "??", "?:":
		return e.choose(x, depth+1)
	case "any", "all", "filter", "map":
		return e.each(x, depth+1)
	}
	args := make([]any, len(x.Args))
	for i, arg := range x.Args {
		var err error
		if args[i], err = e.eval(arg, depth+1); err != nil {
			return nil, err
		}
	}
	return e.operate(x.Op, args)
}

// arity says how many arguments each operation takes.
var arity = func() map[string]struct{ least, most int } {
	many := maxExprWork
	table := map[string]struct{ least, most int }{OpList: {0, many}, "-": {1, 2}, "?:": {3, 3}, "min": {1, many}, "max": {1, many}, "sum": {1, 1}}
	for n, ops := range [][]string{
		{OpValue, OpName, OpParam, OpCount, OpKeys, OpBytes, OpElement},
		{"!", "len", "abs"},
		{"&&", "||", "??", "==", "!=", "<", "<=", ">", ">=", "+", "*", "/", "%", "in", "contains", "startsWith", "endsWith", "matches", OpMember, "any", "all", "filter", "map"},
	} {
		for _, op := range ops {
			table[op] = struct{ least, most int }{n, n}
		}
	}
	return table
}()

func (e *evaluation) decode(raw json.RawMessage) (any, error) {
	if err := e.spend(len(raw)); err != nil {
		return nil, err
	}
	var value any
	if err := json.Unmarshal(raw, &value); err != nil {
		return nil, fmt.Errorf("%s is no JSON", quote(string(raw)))
	}
	return value, nil
}

func (e *evaluation) look(from func(string) (json.RawMessage, bool), name string) (any, error) {
	raw, ok := from(name)
	if !ok {
		return nil, nil
	}
	value, err := e.decode(raw)
	if err != nil {
		return nil, fmt.Errorf("the value of %s: %w", quote(name), err)
	}
	return value, nil
}

// measure is what is known of a name without its values; of one that is not
// there, nothing.
func (e *evaluation) measure(x Expr) any {
	data, ok := e.values.Dataset(x.Name)
	if !ok {
		return 0.0
	}
	switch x.Op {
	case OpCount:
		return float64(data.Count)
	case OpKeys:
		return float64(data.Keys)
	}
	return float64(data.Bytes)
}

// choose evaluates no more than it needs: what is guarded by a test for null, or
// for a length, may rely on it.
func (e *evaluation) choose(x Expr, depth int) (any, error) {
	first, err := e.eval(x.Args[0], depth)
	if err != nil {
		return nil, err
	}
	if x.Op == "??" {
		if first != nil {
			return first, nil
		}
		return e.eval(x.Args[1], depth)
	}
	holds, err := truth(first, x.Op)
	switch {
	case err != nil:
		return nil, err
	case x.Op == "?:" && holds:
		return e.eval(x.Args[1], depth)
	case x.Op == "?:":
		return e.eval(x.Args[2], depth)
	case holds == (x.Op == "||"):
		return holds, nil
	}
	second, err := e.eval(x.Args[1], depth)
	if err != nil {
		return nil, err
	}
	return boolean(truth(second, x.Op))
}

// each evaluates its second argument for every element of its first.
func (e *evaluation) each(x Expr, depth int) (any, error) {
	first, err := e.eval(x.Args[0], depth)
	if err != nil {
		return nil, err
	}
	list, err := elements(first, x.Op)
	if err != nil {
		return nil, err
	}
	outer := e.element
	defer func() { e.element = outer }()
	made := []any{}
	for _, element := range list {
		e.element = element
		value, err := e.eval(x.Args[1], depth)
		if err != nil {
			return nil, err
		}
		if x.Op == "map" {
			made = append(made, value)
			continue
		}
		holds, err := truth(value, x.Op)
		switch {
		case err != nil:
			return nil, err
		case x.Op == "filter" && holds:
			made = append(made, element)
		case x.Op == "any" && holds, x.Op == "all" && !holds:
			return holds, nil
		}
	}
	switch x.Op {
	case "any":
		return false, nil
	case "all":
		return true, nil
	}
	return made, nil
}
