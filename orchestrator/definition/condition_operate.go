package definition

import (
	"cmp"
	"fmt"
	"math"
	"slices"
)

// operate does one operation with values. What is computed from null is null,
// no ordering holds of it, and a list that is null is empty.
func (e *evaluation) operate(op string, args []any) (any, error) {
	switch op {
	case "!":
		holds, err := truth(args[0], op)
		return boolean(!holds, err)
	case "==", "!=":
		same, err := e.same(args[0], args[1])
		return boolean(same == (op == "=="), err)
	case "<", "<=", ">", ">=":
		return e.ordered(op, args[0], args[1])
	case "+":
		if a, ok := args[0].(string); ok {
			if b, ok := args[1].(string); ok {
				if err := e.spend(len(a) + len(b)); err != nil {
					return nil, err
				}
				return a + b, nil
			}
		}
		return calculate(op, args)
	case "-", "*", "/", "%":
		return calculate(op, args)
	case "contains", "startsWith", "endsWith", "matches":
		return e.text(op, args[0], args[1])
	case "in":
		return e.within(args[0], args[1])
	case OpMember:
		return e.member(args[0], args[1])
	case OpList:
		return args, nil
	}
	return e.call(op, args)
}

func boolean(holds bool, err error) (any, error) {
	if err != nil {
		return nil, err
	}
	return holds, nil
}

func truth(value any, op string) (bool, error) {
	switch value := value.(type) {
	case nil:
		return false, nil
	case bool:
		return value, nil
	}
	return false, mismatch(op, "true or false", value)
}

func elements(value any, op string) ([]any, error) {
	switch value := value.(type) {
	case nil:
		return nil, nil
	case []any:
		return value, nil
	}
	return nil, mismatch(op, "a list", value)
}

// calculate keeps numbers finite, so that every result is JSON.
func calculate(op string, args []any) (any, error) {
	operands := make([]float64, len(args))
	for i, arg := range args {
		switch arg := arg.(type) {
		case nil:
			return nil, nil
		case float64:
			operands[i] = arg
		default:
			return nil, mismatch(op, "a number", arg)
		}
	}
	if len(operands) == 1 {
		return -operands[0], nil
	}
	a, b := operands[0], operands[1]
	if b == 0 && (op == "/" || op == "%") {
		return nil, fmt.Errorf("%s %s 0 divides by zero", number(a), op)
	}
	switch op {
	case "+":
		a += b
	case "-":
		a -= b
	case "*":
		a *= b
	case "/":
		a /= b
	case "%":
		a = math.Mod(a, b)
	}
	return finite(a, op)
}

func finite(n float64, op string) (any, error) {
	if math.IsInf(n, 0) || math.IsNaN(n) {
		return nil, fmt.Errorf("the result of %s is too large for a number", op)
	}
	return n, nil
}

func (e *evaluation) ordered(op string, a, b any) (any, error) {
	if a == nil || b == nil {
		return false, nil
	}
	order := 0
	switch a := a.(type) {
	case float64:
		other, ok := b.(float64)
		if !ok {
			return nil, fmt.Errorf("%s compares a number with %s", op, kind(b))
		}
		order = cmp.Compare(a, other)
	case string:
		other, ok := b.(string)
		if !ok {
			return nil, fmt.Errorf("%s compares a string with %s", op, kind(b))
		}
		if err := e.spend(len(a)); err != nil {
			return nil, err
		}
		order = cmp.Compare(a, other)
	default:
		return nil, mismatch(op, "a number or a string", a)
	}
	switch op {
	case "<":
		return order < 0, nil
	case "<=":
		return order <= 0, nil
	case ">":
		return order > 0, nil
	}
	return order >= 0, nil
}

// same compares whatever values; those of different kinds are different.
func (e *evaluation) same(a, b any) (bool, error) {
	if err := e.spend(1); err != nil {
		return false, err
	}
	switch a := a.(type) {
	case string:
		b, ok := b.(string)
		if err := e.spend(len(a)); err != nil {
			return false, err
		}
		return ok && a == b, nil
	case []any:
		b, ok := b.([]any)
		if !ok || len(a) != len(b) {
			return false, nil
		}
		for i := range a {
			if same, err := e.same(a[i], b[i]); !same || err != nil {
				return false, err
			}
		}
		return true, nil
	case map[string]any:
		b, ok := b.(map[string]any)
		if !ok || len(a) != len(b) {
			return false, nil
		}
		for key := range a {
			other, has := b[key]
			if !has {
				return false, nil
			}
			if same, err := e.same(a[key], other); !same || err != nil {
				return false, err
			}
		}
		return true, nil
	}
	return a == b, nil
}

// call is a function of values.
func (e *evaluation) call(name string, args []any) (any, error) {
	switch name {
	case "len":
		switch value := args[0].(type) {
		case nil:
			return 0.0, nil
		case string:
			return float64(len([]rune(value))), e.spend(len(value))
		case []any:
			return float64(len(value)), nil
		case map[string]any:
			return float64(len(value)), nil
		}
		return nil, mismatch(name, "a list, an object or a string", args[0])
	case "abs":
		switch value := args[0].(type) {
		case nil:
			return nil, nil
		case float64:
			return math.Abs(value), nil
		}
		return nil, mismatch(name, "a number", args[0])
	}
	if list, isList := args[0].([]any); isList && len(args) == 1 {
		args = list
	} else if name == "sum" && args[0] != nil {
		return nil, mismatch(name, "a list", args[0])
	}
	return e.fold(name, args)
}

// fold is the sum, least or largest of numbers; nulls among them do not count,
// and of none the sum is 0 and the others are null.
func (e *evaluation) fold(name string, args []any) (any, error) {
	if err := e.spend(len(args)); err != nil {
		return nil, err
	}
	var all []float64
	sum := 0.0
	for _, arg := range args {
		switch arg := arg.(type) {
		case nil:
		case float64:
			all = append(all, arg)
			sum += arg
		default:
			return nil, mismatch(name, "numbers", arg)
		}
	}
	switch {
	case name == "sum":
		return finite(sum, name)
	case len(all) == 0:
		return nil, nil
	case name == "min":
		return slices.Min(all), nil
	}
	return slices.Max(all), nil
}

func mismatch(op, wants string, got any) error {
	return fmt.Errorf("%s takes %s, not %s", op, wants, kind(got))
}

// kind says what a value is, for people.
func kind(value any) string {
	switch value := value.(type) {
	case nil:
		return "null"
	case bool:
		return fmt.Sprint(value)
	case float64:
		return "the number " + number(value)
	case string:
		return "the string " + quote(value)
	case []any:
		return fmt.Sprintf("a list of %d", len(value))
	case map[string]any:
		return fmt.Sprintf("an object of %d members", len(value))
	}
	return fmt.Sprintf("%T", value)
}
