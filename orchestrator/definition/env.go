package definition

import (
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/deedrun/deed/task"
)

// The bounds of what one place of a definition says of the environment.
const (
	maxVariables     = 64
	maxVariableBytes = 4096 // of a text
)

// EnvSource is what one place says of the environment, by the name of the variable.
type EnvSource map[string]VariableSource

// VariableSource is a variable as its author wrote it: a text, or, if Secret is
// given, the name of a secret.
type VariableSource struct{ Name, Value, Secret Text }

func (v VariableSource) resolved() task.Variable {
	return task.Variable{Value: v.Value.Value, Secret: v.Secret.Value}
}

// or adds the variables that e does not set.
func (e EnvSource) or(other EnvSource) EnvSource {
	if len(e) == 0 {
		return other
	}
	both := maps.Clone(e)
	for name, v := range other {
		if _, set := e[name]; !set {
			both[name] = v
		}
	}
	return both
}

// apply sets the variables that are said here, and leaves the others of the step.
func (e EnvSource) apply(step *Step) {
	if len(e) == 0 {
		return
	}
	env := make(map[string]task.Variable, len(e)+len(step.Env))
	maps.Copy(env, step.Env)
	for name, v := range e {
		env[name] = v.resolved()
	}
	step.Env = env
}

// faults reports what makes no sense, with the place of it.
func (e EnvSource) faults(fault func(at Pos, code, hint, format string, args ...any)) {
	for i, name := range slices.Sorted(maps.Keys(e)) {
		v := e[name]
		switch {
		case i >= maxVariables:
			fault(v.Name.Pos, "too-many-variables", "put them into a file that travels with the definition",
				"env sets %d variables, at most %d are allowed", len(e), maxVariables)
			return
		case strings.HasPrefix(name, task.OwnVariables):
			fault(v.Name.Pos, "reserved-name", "give it another name", "the variables %s… are deed's own", task.OwnVariables)
		case !task.ValidVariable(name):
			fault(v.Name.Pos, "bad-env", "write letters, digits and _, at most 64 and no digit first", "%s is no name of a variable", quote(name))
		}
		switch value := v.Value.Value; {
		case v.Secret.Given() && !task.ValidSecret(v.Secret.Value):
			fault(v.Secret.Pos, "bad-secret", "write a letter a-z or a digit, then at most 62 of a-z, 0-9, ., _ and -",
				"%s is no name of a secret", quote(v.Secret.Value))
		case strings.Contains(value, "\x00"):
			fault(v.Value.Pos, "bad-env", "take it out", "the value of %s has a zero byte", name)
		case len(value) > maxVariableBytes:
			fault(v.Value.Pos, "bad-env", "put it into a file that travels with the definition", "the value of %s is longer than %d bytes", name, maxVariableBytes)
		case strings.Contains(value, paramOpen):
			fault(v.Value.Pos, "bad-substitution", "a program finds a param in the environment, as $"+task.OwnVariables+"PARAM_X", "%sx} is not replaced in env", paramOpen)
		}
	}
}

// texts writes the variables of a step that are texts, secrets those that are not.
func texts(env map[string]task.Variable) string {
	return writeEnv(env, func(v task.Variable) (string, bool) { return fmt.Sprintf("%q", v.Value), v.Secret == "" })
}

func secrets(env map[string]task.Variable) string {
	return writeEnv(env, func(v task.Variable) (string, bool) { return v.Secret, v.Secret != "" })
}

func writeEnv(env map[string]task.Variable, write func(task.Variable) (text string, ok bool)) string {
	var words []string
	for _, name := range slices.Sorted(maps.Keys(env)) {
		if text, ok := write(env[name]); ok {
			words = append(words, name+": "+text)
		}
	}
	return orNone(len(words) > 0, "{"+strings.Join(words, ", ")+"}")
}
