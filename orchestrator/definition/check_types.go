package definition

import (
	"fmt"
	"regexp"
	"slices"
)

// valueType is the type of an expression; the zero one is not known before it is
// evaluated. An Array may know the type of its elements.
type valueType struct{ is, of Type }

const null Type = "null"

// String names the type, for people.
func (t valueType) String() string {
	switch {
	case t.is == Array && t.of != "":
		return "a list of " + string(t.of) + "s"
	case t.is == Array:
		return "a list"
	case t.is == Object:
		return "an object"
	case t.is == null:
		return "null"
	}
	return "a " + string(t.is)
}

// sight is what an expression may look at.
type sight struct {
	data      func(name string) (t valueType, hint string)
	knows     func(name string) bool
	names     func() []string
	param     func(name string) Type
	params    map[string]bool
	paramList []string
	partial   bool
	round     bool // there is a number called Round, which is no data
}

// typist finds the types of expressions, and what is wrong with them.
type typist struct {
	*checker
	node     *node
	see      sight
	elements []valueType // what # is, the innermost last
}

func (c *checker) condition(n *node, s *ConditionSource, see sight) {
	if s.Expr.Op == "" {
		return // it could not be read, which parse has said
	}
	t := &typist{checker: c, node: n, see: see}
	if is := t.typeOf(s.Expr); is.is != "" && is.is != Boolean {
		c.fault(s.Pos, n, "bad-type", "compare it with something", "the condition is %s, neither true nor false", is)
	}
}

func (t *typist) wrong(e ExprSource, hint, format string, args ...any) valueType {
	t.fault(e.Pos, t.node, "bad-type", hint, format, args...)
	return valueType{}
}

func (t *typist) typeOf(e ExprSource) valueType {
	switch e.Op {
	case OpValue:
		if string(e.Value) == "null" {
			return valueType{is: null}
		}
		return valueType{is: kindOfDefault(e.Value)}
	case OpName, OpCount, OpKeys, OpBytes:
		return t.name(e)
	case OpParam:
		if !t.see.params[e.Name] && !t.see.partial {
			t.fault(e.Pos, t.node, "unknown-param", t.spell.Hint(e.Name, t.see.paramList), "param %s is not declared", quote(e.Name))
		}
		return valueType{is: t.see.param(e.Name)}
	case OpElement:
		return t.elements[len(t.elements)-1]
	case "any", "all", "filter", "map":
		return t.each(e)
	}
	args := make([]valueType, len(e.Args))
	for i, arg := range e.Args {
		args[i] = t.typeOf(arg)
	}
	return t.operation(e, args)
}

// name is the type of a value, or of what is known of a name without one.
func (t *typist) name(e ExprSource) valueType {
	switch {
	case !t.see.knows(e.Name):
		if !t.see.partial {
			hint := t.meant(e.Name, t.see.names())
			if hint == "" && t.see.params[e.Name] {
				hint = "it is a param: write params." + e.Name
			}
			t.fault(e.Pos, t.node, "unknown-name", hint, "nobody writes %s", quote(e.Name))
		}
		return valueType{}
	case e.Op != OpName:
		if e.Name == Round && t.see.round {
			return t.wrong(e, "write round", "round is a number, and no data")
		}
		return valueType{is: Number}
	}
	is, hint := t.see.data(e.Name)
	if is.is == "" && !t.see.partial {
		t.fault(e.Pos, t.node, "no-type", hint, "%s is no small value with a type: only count(%s), keys(%s) and bytes(%s) are known of it",
			quote(e.Name), clip(e.Name), clip(e.Name), clip(e.Name))
	}
	return is
}

func (t *typist) each(e ExprSource) valueType {
	list := t.typeOf(e.Args[0])
	if list.is != "" && list.is != Array && list.is != null {
		return t.wrong(e.Args[0], "", "%s takes a list, not %s", e.Op, list)
	}
	t.elements = append(t.elements, valueType{is: list.of})
	made := t.typeOf(e.Args[1])
	t.elements = t.elements[:len(t.elements)-1]
	if e.Op == "map" {
		return valueType{is: Array, of: simple(made)}
	}
	if !may(made, Boolean) {
		return t.wrong(e.Args[1], "compare it with something", "%s asks of each element whether it is true, and this is %s", e.Op, made)
	}
	if e.Op == "filter" {
		return valueType{is: Array, of: list.of}
	}
	return valueType{is: Boolean}
}

// simple is the type of elements, as far as it fits into that of a list.
func simple(t valueType) Type {
	if t.is == null {
		return ""
	}
	return t.is
}

// may reports whether something of a type can be one of these.
func may(t valueType, wanted ...Type) bool {
	return t.is == "" || t.is == null || slices.Contains(wanted, t.is)
}

func (t *typist) operation(e ExprSource, args []valueType) valueType {
	all := func(wanted Type) bool {
		for i, arg := range args {
			if !may(arg, wanted) {
				t.wrong(e.Args[i], "", "%s takes %ss, and this is %s", e.Op, wanted, arg)
				return false
			}
		}
		return true
	}
	switch e.Op {
	case "!", "&&", "||":
		all(Boolean)
		return valueType{is: Boolean}
	case "==", "!=":
		if a, b := args[0], args[1]; a.is != b.is && !may(a) && !may(b) {
			t.wrong(e, "", "%s is never equal to %s", a, b)
		}
		return valueType{is: Boolean}
	case "<", "<=", ">", ">=":
		return t.ordered(e, args)
	case "-", "*", "/", "%", "abs":
		all(Number)
		return valueType{is: Number}
	case "+":
		if slices.ContainsFunc(args, func(a valueType) bool { return a.is == String }) {
			all(String)
			return valueType{is: String}
		}
		if all(Number) && slices.ContainsFunc(args, func(a valueType) bool { return a.is == "" }) {
			return valueType{}
		}
		return valueType{is: Number}
	case "contains", "startsWith", "endsWith", "matches":
		if all(String) && e.Op == "matches" {
			t.pattern(e.Args[1])
		}
		return valueType{is: Boolean}
	case "in":
		if !may(args[1], Array, Object) {
			t.wrong(e.Args[1], "for a part of a text write contains", "in takes a list or an object, not %s", args[1])
		}
		return valueType{is: Boolean}
	case OpMember:
		return t.member(e, args)
	}
	return t.choice(e, args)
}

func (t *typist) choice(e ExprSource, args []valueType) valueType {
	switch e.Op {
	case "??":
		return either(args[0], args[1])
	case "?:":
		if !may(args[0], Boolean) {
			t.wrong(e.Args[0], "compare it with something", "what stands before ? is %s, neither true nor false", args[0])
		}
		return either(args[1], args[2])
	case OpList:
		of := valueType{}
		for i, arg := range args {
			if of = arg; i > 0 && arg != args[0] {
				return valueType{is: Array}
			}
		}
		return valueType{is: Array, of: simple(of)}
	case "len":
		if !may(args[0], Array, Object, String) {
			t.wrong(e.Args[0], "", "len takes a list, an object or a string, not %s", args[0])
		}
		return valueType{is: Number}
	}
	// min, max and sum take a list of numbers, and the first two also numbers.
	for i, arg := range args {
		isList := arg.is == Array && len(args) == 1 && (arg.of == "" || arg.of == Number)
		if !isList && (arg.is != Number || e.Op == "sum") && !may(arg) {
			t.wrong(e.Args[i], "", "%s takes numbers, and this is %s", e.Op, arg)
		}
	}
	return valueType{is: Number}
}

// either is the type of one of two.
func either(a, b valueType) valueType {
	switch {
	case a == b || b.is == null:
		return a
	case a.is == null:
		return b
	}
	return valueType{}
}

func (t *typist) ordered(e ExprSource, args []valueType) valueType {
	for i, arg := range args {
		if !may(arg, Number, String) {
			t.wrong(e.Args[i], "", "%s takes numbers or strings, and this is %s", e.Op, arg)
			return valueType{is: Boolean}
		}
	}
	if a, b := args[0], args[1]; a.is != b.is && !may(a) && !may(b) {
		t.wrong(e, "", "%s compares %s with %s", e.Op, a, b)
	}
	return valueType{is: Boolean}
}

func (t *typist) member(e ExprSource, args []valueType) valueType {
	switch of, at := args[0], args[1]; {
	case of.is == Array && !may(at, Number):
		return t.wrong(e.Args[1], "write a[0] for the first", "an element of a list has a number, not %s", at)
	case of.is == Object && !may(at, String):
		return t.wrong(e.Args[1], "", "a member of an object has a name, not %s", at)
	case of.is == Array:
		return valueType{is: of.of}
	case !may(of, Object):
		return t.wrong(e, "", "%s has no members", of)
	}
	return valueType{}
}

// pattern refuses a literal that is no regular expression.
func (t *typist) pattern(e ExprSource) {
	text, isText := textOf(e.Value)
	if e.Op != OpValue || !isText {
		return
	}
	if _, err := regexp.Compile(text); err != nil {
		t.wrong(e, fmt.Sprintf("see the syntax of Go's regular expressions: %v", err), "%s is no regular expression", quote(text))
	}
}
