package task

import "regexp"

// The patterns of what may stand in the environment of a task, and of what a
// secret may be called.
const (
	VariablePattern = `^[A-Za-z_][A-Za-z0-9_]{0,63}$`
	SecretPattern   = `^[a-z0-9][a-z0-9._-]{0,62}$`
)

// OwnVariables is how the variables begin that deed sets itself.
const OwnVariables = "DEED_"

var (
	variablePattern = regexp.MustCompile(VariablePattern)
	secretPattern   = regexp.MustCompile(SecretPattern)
)

// Variable is what a variable of a task's environment holds: Value, or what the
// worker finds under the name Secret when the task starts. A definition, an
// event and a message know that name and nothing else.
type Variable struct {
	Value  string `json:"value,omitempty"`
	Secret string `json:"secret,omitempty"`
}

// ValidVariable reports whether a step may set a variable of this name, but for
// those that begin with OwnVariables.
func ValidVariable(name string) bool { return variablePattern.MatchString(name) }

// ValidSecret reports whether a secret may have this name. Such a name is a
// file name everywhere, and leads out of no directory.
func ValidSecret(name string) bool { return secretPattern.MatchString(name) }
