package parse

import (
	"go.yaml.in/yaml/v3"

	"github.com/deedrun/deed/orchestrator/definition"
)

// env reads the variables that tasks find in their environment.
func (r *reader) env(n *yaml.Node) definition.EnvSource {
	env := definition.EnvSource{}
	r.harmless(func() {
		for _, e := range r.entries(n, "env", "write {PGHOST: db, PGPASSWORD: {secret: pg}}") {
			v := definition.VariableSource{Name: e.key}
			if r.variable(e, &v) {
				env[e.key.Value] = v
			}
		}
	})
	return env
}

// variable reads a text, which numbers and booleans are as they are written, or
// the name of a secret.
func (r *reader) variable(e entry, v *definition.VariableSource) bool {
	n := e.value
	switch {
	case n.Kind == yaml.MappingNode:
		r.keys(r.entries(n, "a variable", ""), "a variable", map[string]func(entry){
			"secret": func(e entry) { v.Secret, _ = r.text(e.value, "secret") },
		})
		if !v.Secret.Given() && len(n.Content) == 0 {
			r.fault(n, "bad-env", "write {secret: pg}, or a text", "%s has no value", clip(e.key.Value))
		}
		return v.Secret.Given()
	case n.Kind != yaml.ScalarNode || isNull(n):
		r.fault(n, "wrong-type", `write a text, "" for an empty one, or {secret: pg}`, "%s must be a text or a secret, not %s", clip(e.key.Value), describe(n))
		return false
	}
	v.Value = definition.Text{Value: n.Value, Pos: r.pos(n)}
	return true
}
