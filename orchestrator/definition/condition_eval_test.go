package definition_test

import (
	"encoding/json"
	"fmt"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/deedrun/deed/orchestrator/definition"
	"github.com/deedrun/deed/task"
)

// look is what expressions see in these tests.
type look struct{ values, params map[string]string }

func (l look) Value(name string) (json.RawMessage, bool) { return raw(l.values, name) }
func (l look) Param(name string) (json.RawMessage, bool) { return raw(l.params, name) }

func (l look) Dataset(name string) (task.Dataset, bool) {
	return task.Dataset{Count: 3, Keys: 2, Bytes: 4096}, name == "pages"
}

func raw(from map[string]string, name string) (json.RawMessage, bool) {
	text, ok := from[name]
	return json.RawMessage(text), ok
}

var sight = look{
	values: map[string]string{
		"score": `0.5`, "tag": `"v1.2"`, "done": `true`, "scores": `[3, 1, null, 2]`, "none": `[]`, "empty": `null`, "page": `{"next": null, "rows": [{"n": 4}, {"n": 5}], "in": {"deep": true}}`,
		"broken": `{`,
	},
	params: map[string]string{"least": `0.4`, "mode": `"fast"`},
}

func value(text string) definition.Expr {
	return definition.Expr{Op: definition.OpValue, Value: json.RawMessage(text)}
}

func op(op string, args ...definition.Expr) definition.Expr {
	return definition.Expr{Op: op, Args: args}
}

func named(op, name string) definition.Expr { return definition.Expr{Op: op, Name: name} }

func name(name string) definition.Expr { return named(definition.OpName, name) }

func member(of definition.Expr, keys ...string) definition.Expr {
	for _, key := range keys {
		of = op(definition.OpMember, of, value(key))
	}
	return of
}

var element = op(definition.OpElement)

func TestAnExpressionHasTheValueThatItsTextPromises(t *testing.T) {
	for _, tc := range []struct {
		expr definition.Expr
		want string
	}{
		{value(`"a"`), `"a"`},
		{name("score"), `0.5`},
		{name("nothing"), `null`},
		{named(definition.OpParam, "mode"), `"fast"`},
		{named(definition.OpCount, "pages"), `3`},
		{named(definition.OpKeys, "pages"), `2`},
		{named(definition.OpBytes, "pages"), `4096`},
		{named(definition.OpCount, "nothing"), `0`},
		{op("+", value(`1`), op("*", value(`2`), value(`3`))), `7`},
		{op("-", value(`1`), value(`3`)), `-2`},
		{op("-", value(`1`)), `-1`},
		{op("/", value(`1`), value(`4`)), `0.25`},
		{op("%", value(`-7`), value(`3`)), `-1`},
		{op("+", value(`"a"`), value(`"b"`)), `"ab"`},
		{op("+", name("empty"), value(`1`)), `null`},
		{op("==", value(`1`), value(`1.0`)), `true`},
		{op("==", value(`1`), value(`"1"`)), `false`},
		{op("!=", value(`[1, {"a": 2}]`), value(`[1, {"a": 2}]`)), `false`},
		{op("==", value(`{"a": 1}`), value(`{"b": 1}`)), `false`},
		{op("==", value(`{"a": null}`), value(`{"b": null}`)), `false`},
		{op("==", value(`[1, 2]`), value(`[1]`)), `false`},
		{op("<", value(`2`), value(`10`)), `true`},
		{op("<", value(`"2"`), value(`"10"`)), `false`},
		{op(">=", value(`2`), value(`2`)), `true`},
		{op(">", value(`2`), value(`2`)), `false`},
		{op("<=", value(`3`), value(`2`)), `false`},
		{op("!", name("done")), `false`},
		{op("!", name("empty")), `true`},
		{op("??", name("empty"), value(`4`)), `4`},
		{op("??", name("score"), value(`4`)), `0.5`},
		{op("?:", name("empty"), value(`1`), value(`2`)), `2`},
		{op("?:", name("done"), value(`1`), value(`2`)), `1`},
		{op("in", value(`2`), name("scores")), `true`},
		{op("in", value(`9`), name("scores")), `false`},
		{op("in", value(`"next"`), name("page")), `true`},
		{op("in", value(`"next"`), name("empty")), `false`},
		{op("in", value(`"b"`), op(definition.OpList, value(`"a"`), value(`"b"`))), `true`},
		{op("contains", name("tag"), value(`"1."`)), `true`},
		{op("startsWith", name("tag"), value(`"v"`)), `true`},
		{op("endsWith", name("tag"), value(`"v"`)), `false`},
		{op("matches", name("tag"), value(`"^v[0-9.]+$"`)), `true`},
		{op("matches", name("empty"), value(`".*"`)), `false`},
		{op("matches", value(`"`+strings.Repeat("ä", 500)+`"`), value(`"^(\\pL{1,50}){1,20}$"`)), `true`},
		{member(name("page"), `"rows"`, `1`, `"n"`), `5`},
		{member(name("page"), `"rows"`, `-1`, `"n"`), `5`},
		{member(name("page"), `"rows"`, `2`, `"n"`), `null`},
		{member(name("page"), `"rows"`, `0.5`), `null`},
		{member(name("page"), `"missing"`, `"further"`), `null`},
		{op("len", name("scores")), `4`},
		{op("len", value(`"größe"`)), `5`},
		{op("len", name("page")), `3`},
		{op("len", name("empty")), `0`},
		{op("sum", name("scores")), `6`},
		{op("sum", name("empty")), `0`},
		{op("min", name("scores")), `1`},
		{op("max", name("scores")), `3`},
		{op("max", name("none")), `null`},
		{op("min", value(`3`), value(`2`), name("empty")), `2`},
		{op("abs", value(`-2`)), `2`},
		{op("any", name("scores"), op(">", element, value(`2`))), `true`},
		{op("all", name("scores"), op(">", element, value(`0`))), `false`},
		{op("all", name("empty"), element), `true`},
		{op("any", name("none"), element), `false`},
		{op("filter", name("scores"), op(">", element, value(`1`))), `[3,2]`},
		{op("filter", name("none"), element), `[]`},
		{op("sum", op("map", member(name("page"), `"rows"`), member(element, `"n"`))), `9`},
		{op("map", value(`[[1], [2, 3]]`), op("sum", op("map", element, op("*", element, value(`2`))))), `[2,10]`},
	} {
		t.Run(mustJSON(t, tc.expr), func(t *testing.T) {
			got, err := tc.expr.Eval(sight)
			require.NoError(t, err)
			assert.JSONEq(t, tc.want, string(got))
		})
	}
}

func mustJSON(t *testing.T, v any) string {
	t.Helper()
	text, err := json.Marshal(v)
	require.NoError(t, err)
	return string(text)
}

func TestNullIsNeitherLessNorGreaterThanAnything(t *testing.T) {
	for _, order := range []string{"<", "<=", ">", ">="} {
		for _, args := range [][]definition.Expr{{name("empty"), value(`1`)}, {value(`"a"`), name("nothing")}, {name("empty"), name("empty")}} {
			holds, err := definition.Condition{Expr: op(order, args...)}.Holds(sight)
			require.NoError(t, err)
			assert.False(t, holds, order)
		}
	}
	for expr, want := range map[string]bool{"==": true, "!=": false} {
		holds, err := definition.Condition{Expr: op(expr, name("nothing"), value(`null`))}.Holds(sight)
		require.NoError(t, err)
		assert.Equal(t, want, holds)
	}
}

func TestWhatIsGuardedIsNotLookedAt(t *testing.T) {
	wrong := op("-", value(`"text"`))
	for _, expr := range []definition.Expr{
		op("||", value(`true`), wrong), op("!", op("&&", value(`false`), wrong)), op("?:", value(`true`), value(`true`), wrong), op("??", value(`true`), wrong),
	} {
		holds, err := definition.Condition{Expr: expr}.Holds(sight)
		require.NoError(t, err)
		assert.True(t, holds)
	}
}

func TestAConditionThatSeesOtherValuesThanItTakesSaysSo(t *testing.T) {
	deep := value(`true`)
	for range definition.MaxExprDepth + 1 {
		deep = op("!", deep)
	}
	big := value(`1e308`)
	for want, expr := range map[string]definition.Expr{
		"is the number 0.5, neither true nor false": name("score"),
		"< compares a number with the string":       op("<", name("score"), name("tag")),
		"< compares a string with the number 0.5":   op("<", name("tag"), name("score")),
		"< takes a number or a string, not true":    op("<", name("done"), name("score")),
		"+ takes a number, not a list of 4":         op("+", value(`1`), name("scores")),
		"&& takes true or false, not the number":    op("&&", value(`true`), name("score")),
		"! takes true or false":                     op("!", name("score")),
		"any takes a list, not the string":          op("any", name("tag"), element),
		"sum takes a list, not the number 0.5":      op("sum", name("score")),
		"max takes numbers, not the string":         op("max", value(`1`), name("tag")),
		"len takes a list, an object or a string":   op("len", name("score")),
		"abs takes a number":                        op("abs", name("tag")),
		"in takes a list or an object":              op("in", value(`1`), name("tag")),
		"contains takes a string, not the number":   op("contains", name("tag"), name("score")),
		"regular expression":                        op("matches", name("tag"), value(`"("`)),
		"the string \"v1.2\" has no members":        member(name("tag"), `0`),
		"an element of a list takes a number":       member(name("scores"), `"a"`),
		"a member of an object takes a string":      member(name("page"), `1`),
		"divides by zero":                           op("/", value(`1`), value(`0`)),
		"too large for a number":                    op("*", big, big),
		"the result of sum is too large":            op("sum", op(definition.OpList, big, big)),
		`the value of "broken"`:                     name("broken"),
		"is no JSON":                                value(``),
		"nested deeper than 64":                     deep,
		`operation "rm" of 0 values is not known`:   op("rm"),
		`operation "/" of 1 values is not known`:    op("/", value(`1`)),
	} {
		_, err := definition.Condition{Text: "x", Expr: expr}.Holds(sight)
		require.ErrorContains(t, err, want)
		require.ErrorContains(t, err, `condition "x"`)
	}
}

func TestAnExpressionThatTakesTooLongIsGivenUp(t *testing.T) {
	long := look{values: map[string]string{"list": "[" + strings.Repeat("1,", 100_000) + "1]", "text": `"` + strings.Repeat("a", 100_000) + `"`}}
	for _, expr := range []definition.Expr{
		op("map", name("list"), op("map", name("list"), element)),
		op("map", value(`[`+strings.Repeat("1,", 1000)+`1]`), op("+", name("text"), name("text"))),
		op("matches", name("text"), name("text")),
		op("matches", value(`"`+strings.Repeat("a", 900)+`"`), value(`"`+strings.Repeat("(a|b){500}", 300)+`c"`)),
		op("matches", value(`"a"`), value(`"`+strings.Repeat("a{1000}", 3000)+`"`)),
		op("map", value(`[`+strings.Repeat("1,", 200)+`1]`), op("matches", value(`"a"`), value(`"`+strings.Repeat("a{1000}", 20)+`"`))),
		op("map", name("list"), op("==", name("text"), name("text"))),
	} {
		_, err := expr.Eval(long)
		require.ErrorContains(t, err, "takes too long; let a step compute it")
	}
}

func FuzzEval(f *testing.F) {
	for _, expr := range []definition.Expr{
		op("&&", op("<", name("score"), named(definition.OpParam, "least")), op("any", name("scores"), op(">", element, value(`1`)))),
		op("?:", name("done"), member(name("page"), `"rows"`, `0`), op("sum", op("map", name("scores"), op("*", element, element)))),
		op("matches", name("tag"), value(`"(a+)+$"`)), op(definition.OpList, op("-", value(`1`)), op("??", name("empty"), op("max", value(`1`), value(`2`)))),
	} {
		text, err := json.Marshal(expr)
		require.NoError(f, err)
		f.Add(string(text), `{"a": [1, "b", null, true, {"c": 1e300}]}`)
	}
	f.Fuzz(func(t *testing.T, text, given string) {
		var expr definition.Expr
		if json.Unmarshal([]byte(text), &expr) != nil {
			return
		}
		values := sight
		values.values = map[string]string{"given": given, "score": `0.5`, "scores": `[3, 1, null, 2]`, "page": given}
		first, err := expr.Eval(values)
		again, errAgain := expr.Eval(values)
		require.Equal(t, first, again)
		require.Equal(t, fmt.Sprint(err), fmt.Sprint(errAgain))
		if err == nil {
			require.True(t, json.Valid(first))
		}
		_, _ = definition.Condition{Expr: expr}.Holds(values)
	})
}
