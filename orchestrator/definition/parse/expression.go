package parse

import (
	"encoding/json"
	"errors"
	"fmt"
	"strings"
	"unicode"
	"unicode/utf8"

	"github.com/expr-lang/expr/ast"
	"github.com/expr-lang/expr/file"
	"github.com/expr-lang/expr/parser"
	"go.yaml.in/yaml/v3"

	"github.com/deedrun/deed/orchestrator/definition"
)

// The bounds of an expression.
const (
	maxExpr      = 4096  // bytes of text
	maxExprNodes = 1_000 // operations; a < b < c stands for more than it shows
)

// hyphen stands for the - inside of a name while the library reads the text: a
// name may have one, and the library takes it for a minus. It is a letter.
const hyphen = 'ꟷ'

// condition reads an expression. One that cannot be read is a fault, and then an
// expression without an operation, which Check leaves alone.
func (r *reader) condition(n *yaml.Node, what string) *definition.ConditionSource {
	if n.Kind != yaml.ScalarNode || isNull(n) || n.Value == "" {
		r.fault(n, "wrong-type", "write it like count(pages) > 0", "%s must be an expression, not %s", what, describe(n))
		return nil
	}
	c := &definition.ConditionSource{Text: definition.Text{Value: n.Value, Pos: r.pos(n)}}
	e := &expression{reader: r, node: n, what: what, text: n.Value}
	if root := e.parse(); root != nil {
		if compiled, ok := e.compile(root, 0); ok {
			c.Expr = compiled
		}
	}
	return c
}

// expression makes what the library reads into what the core evaluates, and
// refuses everything that the core does not know.
type expression struct {
	*reader
	node  *yaml.Node
	what  string
	text  string
	nodes int
}

func (e *expression) parse() ast.Node {
	if len(e.text) > maxExpr {
		e.fault(e.node, "too-large", "let a step compute it", "%s is longer than %d characters", e.what, maxExpr)
		return nil
	}
	if strings.ContainsRune(e.text, hyphen) {
		e.fault(e.node, "bad-expression", "", "%s has a character that no name has: %c", e.what, hyphen)
		return nil
	}
	tree, err := parser.Parse(joined(e.text))
	if err == nil {
		return tree.Node
	}
	at, message := 0, err.Error()
	var bad *file.Error
	if errors.As(err, &bad) {
		at, message = bad.From, bad.Message
	}
	e.refuse(at, "", "%s cannot be read: %s", e.what, parted(message))
	return nil
}

// refuse reports what stands at a rune of the text.
func (e *expression) refuse(at int, hint, format string, args ...any) {
	f := definition.Fault{Pos: e.place(at), Address: e.at, Code: "bad-expression", Message: fmt.Sprintf(format, args...), Hint: hint}
	e.add(f)
}

// place is where a rune of the text stands in the file, as far as its style says.
func (e *expression) place(at int) definition.Pos {
	pos := e.pos(e.node)
	switch {
	case strings.Contains(e.text, "\n") || e.node.Style&(yaml.LiteralStyle|yaml.FoldedStyle) != 0:
	case e.node.Style&(yaml.SingleQuotedStyle|yaml.DoubleQuotedStyle) != 0:
		pos.Column += at + 1
	default:
		pos.Column += at
	}
	return pos
}

// joined replaces the - inside of names: a minus has a space beside it.
func joined(text string) string {
	runes := []rune(text)
	for i := 0; i < len(runes); {
		switch c := runes[i]; {
		case c == '"' || c == '\'' || c == '`':
			i = closing(runes, i)
		case unicode.IsLetter(c) || c == '_':
			for i++; i < len(runes) && (word(runes[i]) || runes[i] == '-' && i+1 < len(runes) && word(runes[i+1])); i++ {
				if runes[i] == '-' {
					runes[i] = hyphen
				}
			}
		case unicode.IsDigit(c):
			for i++; i < len(runes) && word(runes[i]); i++ {
			}
		default:
			i++
		}
	}
	return string(runes)
}

func word(c rune) bool { return c == '_' || unicode.IsLetter(c) || unicode.IsDigit(c) }

// closing is behind the quote that ends a text.
func closing(runes []rune, i int) int {
	quote := runes[i]
	for i++; i < len(runes) && runes[i] != quote; i++ {
		if runes[i] == '\\' && quote != '`' {
			i++
		}
	}
	return i + 1
}

func parted(text string) string { return strings.ReplaceAll(text, string(hyphen), "-") }

// compile makes an expression of what the library read.
func (e *expression) compile(n ast.Node, depth int) (definition.ExprSource, bool) {
	if e.nodes++; e.nodes > maxExprNodes || depth > definition.MaxExprDepth-1 {
		e.refuse(0, "let a step compute it", "%s is too long or nested too deep", e.what)
		return definition.ExprSource{}, false
	}
	at := n.Location().From
	made := definition.ExprSource{Pos: e.place(at)}
	var args []ast.Node
	switch n := n.(type) {
	case *ast.NilNode:
		return e.literal(made, nil)
	case *ast.BoolNode:
		return e.literal(made, n.Value)
	case *ast.IntegerNode:
		return e.literal(made, n.Value)
	case *ast.FloatNode:
		return e.literal(made, n.Value)
	case *ast.StringNode:
		return e.literal(made, parted(n.Value))
	case *ast.IdentifierNode:
		if n.Value == "null" {
			return e.literal(made, nil)
		}
		return e.name(made, definition.OpName, n)
	case *ast.UnaryNode:
		made.Op, args = unary[n.Operator], []ast.Node{n.Node}
		if made.Op == "" {
			e.refuse(at, "leave it out", "a number needs no %s before it", n.Operator)
			return made, false
		}
	case *ast.BinaryNode:
		made.Op, args = binary[n.Operator], []ast.Node{n.Left, n.Right}
		if made.Op == "" {
			e.refuse(at, "there are + - * / %, == != < <= > >=, && || !, in, ??, ?:, contains, startsWith, endsWith and matches", "the operator %s is not supported", n.Operator)
			return made, false
		}
	case *ast.ConditionalNode:
		made.Op, args = "?:", []ast.Node{n.Cond, n.Exp1, n.Exp2}
	case *ast.ArrayNode:
		made.Op, args = definition.OpList, n.Nodes
	case *ast.MemberNode:
		if of, ok := n.Node.(*ast.IdentifierNode); ok && of.Value == "params" {
			return e.param(made, n)
		}
		made.Op, args = definition.OpMember, []ast.Node{n.Node, n.Property}
	case *ast.ChainNode:
		e.refuse(at, "write a.b: what is not there is null", "?. is not supported")
		return made, false
	case *ast.PointerNode:
		if n.Name != "" {
			e.refuse(at, "write # for the element", "#%s is not supported", n.Name)
			return made, false
		}
		made.Op = definition.OpElement
	case *ast.PredicateNode:
		return e.compile(n.Node, depth)
	case *ast.BuiltinNode:
		return e.call(made, at, n.Name, n.Arguments, depth)
	case *ast.CallNode:
		if of, ok := n.Callee.(*ast.IdentifierNode); ok {
			return e.call(made, at, parted(of.Value), n.Arguments, depth)
		}
		e.refuse(at, "", "values have no methods")
		return made, false
	default:
		e.refuse(at, "let a step compute it", "%s is not supported in an expression", kinds(n))
		return made, false
	}
	return e.operation(made, args, depth)
}

func kinds(n ast.Node) string {
	switch n.(type) {
	case *ast.SliceNode:
		return "a part of a list, [a:b],"
	case *ast.MapNode:
		return "an object, {…},"
	case *ast.VariableDeclaratorNode:
		return "let"
	case *ast.SequenceNode:
		return "a sequence, a; b,"
	case *ast.BytesNode:
		return "a text of bytes"
	}
	return "what stands there"
}

var unary = map[string]string{"!": "!", "not": "!", "-": "-"}

var binary = map[string]string{
	"&&": "&&", "and": "&&", "||": "||", "or": "||", "??": "??",
	"==": "==", "!=": "!=", "<": "<", "<=": "<=", ">": ">", ">=": ">=",
	"+": "+", "-": "-", "*": "*", "/": "/", "%": "%",
	"in": "in", "contains": "contains", "startsWith": "startsWith", "endsWith": "endsWith", "matches": "matches",
}

// functions are those that take values, and how many.
var functions = map[string]struct{ least, most int }{
	"len": {1, 1}, "abs": {1, 1}, "sum": {1, 1}, "min": {1, 100}, "max": {1, 100},
	"any": {2, 2}, "all": {2, 2}, "filter": {2, 2}, "map": {2, 2},
}

// call reads a function, or what is known of a name without its values.
func (e *expression) call(made definition.ExprSource, at int, name string, args []ast.Node, depth int) (definition.ExprSource, bool) {
	switch name {
	case definition.OpCount, definition.OpKeys, definition.OpBytes:
		if of, ok := only(args).(*ast.IdentifierNode); ok {
			return e.name(made, name, of)
		}
		hint := "write " + name + "(pages)"
		if name == definition.OpCount && len(args) > 1 {
			hint = "to count elements of a list write len(filter(list, …))"
		}
		e.refuse(at, hint, "%s takes the name of data", name)
		return made, false
	}
	takes, known := functions[name]
	switch {
	case !known:
		list := []string{"abs", "all", "any", "bytes", "count", "filter", "keys", "len", "map", "max", "min", "sum"}
		e.refuse(at, e.spell.Choice(name, list), "there is no function %s", quote(name))
		return made, false
	case len(args) < takes.least || len(args) > takes.most:
		e.refuse(at, "", "%s takes %s, not %d", name, howMany(takes.least, takes.most), len(args))
		return made, false
	}
	made.Op = name
	return e.operation(made, args, depth)
}

func howMany(least, most int) string {
	switch {
	case most == 1:
		return "one value"
	case least == most:
		return fmt.Sprintf("%d values", least)
	}
	return fmt.Sprintf("%d to %d values", least, most)
}

func only(args []ast.Node) ast.Node {
	if len(args) != 1 {
		return nil
	}
	return args[0]
}

func (e *expression) operation(made definition.ExprSource, args []ast.Node, depth int) (definition.ExprSource, bool) {
	for _, arg := range args {
		a, ok := e.compile(arg, depth+1)
		if !ok {
			return made, false
		}
		made.Args = append(made.Args, a)
	}
	return made, true
}

func (e *expression) literal(made definition.ExprSource, v any) (definition.ExprSource, bool) {
	value, err := json.Marshal(v)
	if text, isText := v.(string); err != nil || isText && !utf8.ValidString(text) {
		e.refuse(0, "", "%s has a value that cannot be written as JSON", e.what)
		return made, false
	}
	made.Op, made.Value = definition.OpValue, value
	return made, true
}

// name reads the name of data.
func (e *expression) name(made definition.ExprSource, op string, n *ast.IdentifierNode) (definition.ExprSource, bool) {
	made.Op, made.Name, made.Pos = op, parted(n.Value), e.place(n.Location().From)
	if made.Name == "params" {
		e.refuse(n.Location().From, "write params.top", "params are looked at one by one")
		return made, false
	}
	return made, true
}

func (e *expression) param(made definition.ExprSource, n *ast.MemberNode) (definition.ExprSource, bool) {
	key, ok := n.Property.(*ast.StringNode)
	if !ok {
		e.refuse(n.Location().From, "write params.top", "which param it is has to be written")
		return made, false
	}
	made.Op, made.Name = definition.OpParam, parted(key.Value)
	return made, true
}
