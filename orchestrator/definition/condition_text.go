package definition

import (
	"fmt"
	"math"
	"regexp"
	"regexp/syntax"
	"strings"
)

func (e *evaluation) text(op string, value, with any) (any, error) {
	if value == nil || with == nil {
		return false, nil
	}
	a, isText := value.(string)
	b, alsoText := with.(string)
	switch {
	case !isText:
		return nil, mismatch(op, "a string", value)
	case !alsoText:
		return nil, mismatch(op, "a string", with)
	}
	if err := e.spend(len(a) + len(b)); err != nil {
		return nil, err
	}
	switch op {
	case "contains":
		return strings.Contains(a, b), nil
	case "startsWith":
		return strings.HasPrefix(a, b), nil
	case "endsWith":
		return strings.HasSuffix(a, b), nil
	}
	return e.matches(a, b)
}

// matches accounts for every instruction at every byte: what a short expression
// repeats, `(a|b){1000}`, is as long as if it were written out.
func (e *evaluation) matches(text, expression string) (any, error) {
	tree, err := syntax.Parse(expression, syntax.Perl)
	if err != nil {
		return nil, fmt.Errorf("matches takes a regular expression, not %s", quote(expression))
	}
	if err := e.spend(instructions(tree) * (len(text) + 1)); err != nil {
		return nil, err
	}
	pattern, err := regexp.Compile(expression)
	if err != nil {
		return nil, fmt.Errorf("matches takes a regular expression, not %s", quote(expression))
	}
	return pattern.MatchString(text), nil
}

// instructions is about how many a regular expression is compiled to; many more
// than an evaluation may spend count as a few more.
func instructions(tree *syntax.Regexp) int {
	n := 1
	if tree.Op == syntax.OpLiteral {
		n = len(tree.Rune)
	}
	for _, sub := range tree.Sub {
		n += instructions(sub)
	}
	if tree.Op == syntax.OpRepeat {
		n *= max(tree.Min, tree.Max, 1)
	}
	return min(n, maxExprWork+1)
}

// within reports whether a list has the element, or an object the key.
func (e *evaluation) within(value, in any) (any, error) {
	switch in := in.(type) {
	case nil:
		return false, nil
	case []any:
		for _, element := range in {
			if same, err := e.same(value, element); same || err != nil {
				return boolean(same, err)
			}
		}
		return false, nil
	case map[string]any:
		key, ok := value.(string)
		_, has := in[key]
		return ok && has, nil
	}
	return nil, mismatch("in", "a list or an object", in)
}

// member is what an object has under a key, or a list at a place, from its end
// if that is negative; null if there is none.
func (e *evaluation) member(of, at any) (any, error) {
	switch of := of.(type) {
	case nil:
		return nil, nil
	case map[string]any:
		switch at := at.(type) {
		case nil:
			return nil, nil
		case string:
			return of[at], nil
		}
		return nil, mismatch("a member of an object", "a string", at)
	case []any:
		switch at := at.(type) {
		case nil:
			return nil, nil
		case float64:
			i := at
			if i < 0 {
				i += float64(len(of))
			}
			if i < 0 || i >= float64(len(of)) || i != math.Trunc(i) {
				return nil, nil
			}
			return of[int(i)], nil
		}
		return nil, mismatch("an element of a list", "a number", at)
	}
	return nil, fmt.Errorf("%s has no members", kind(of))
}
