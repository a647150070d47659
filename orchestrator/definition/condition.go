package definition

import "encoding/json"

// Condition is an expression over small values that holds or does not.
type Condition struct {
	Text string `json:"text"` // as the author wrote it
	Expr Expr   `json:"expr"` // what that means, for ever
}

// Expr is a node of an expression. Package parse makes it of text with an
// expression library; the core evaluates it with nothing but this package, so
// what a stored definition means does not change with the library.
type Expr struct {
	Op    string          `json:"op"`              // what is done with Args; see the Op constants
	Name  string          `json:"name,omitempty"`  // OpName, OpParam, OpCount, OpKeys, OpBytes: of what
	Value json.RawMessage `json:"value,omitempty"` // OpValue
	Args  []Expr          `json:"args,omitempty"`
}

// Round is the number of the round, from 1, in the condition that ends a repeat.
const Round = "round"

// The operations that are no operator. Operators are written as in the text: "&&", "==", "<", "+" …
const (
	OpValue   = "value"   // a literal
	OpName    = "name"    // the small value of a name, or the list of them if its step fans out; null if there is none
	OpParam   = "param"   // params.x
	OpCount   = "count"   // count(x): how many parts a name has
	OpKeys    = "keys"    // keys(x): how many distinct keys
	OpBytes   = "bytes"   // bytes(x)
	OpList    = "list"    // [a, b]
	OpMember  = "member"  // a.b, a["b"] and a[0]
	OpElement = "element" // #, in the second argument of any, all, filter and map
)

// Names lists the names of data that the condition reads, each once, in the
// order of the text.
func (c Condition) Names() []string {
	var names []string
	seen := map[string]bool{}
	var visit func(e Expr)
	visit = func(e Expr) {
		switch e.Op {
		case OpName, OpCount, OpKeys, OpBytes:
			if !seen[e.Name] {
				seen[e.Name] = true
				names = append(names, e.Name)
			}
		}
		for _, arg := range e.Args {
			visit(arg)
		}
	}
	visit(c.Expr)
	return names
}
