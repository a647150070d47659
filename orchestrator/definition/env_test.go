package definition_test

import (
	"fmt"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/deedrun/deed/orchestrator/definition"
	"github.com/deedrun/deed/orchestrator/definition/parse"
	"github.com/deedrun/deed/task"
)

const environment = `
deed: v1
name: environment
steps:
  alone: {run: alone}
  outer:
    env: {HOST: db, PORT: 5432, PASSWORD: {secret: pg}}
    steps:
      plain: {run: plain}
      own: {run: own, env: {HOST: "", PASSWORD: plain, TOKEN: {secret: token}}}
settings:
  outer: {env: {PORT: 6543}}
`

func TestAVariableIsInheritedByItsNameLikeAnyOtherSetting(t *testing.T) {
	d := resolve(t, source(t, environment), nil, nil)
	for address, want := range map[string]map[string]task.Variable{
		"alone":       nil,
		"outer/plain": {"HOST": {Value: "db"}, "PORT": {Value: "6543"}, "PASSWORD": {Secret: "pg"}},
		"outer/own":   {"HOST": {}, "PORT": {Value: "6543"}, "PASSWORD": {Value: "plain"}, "TOKEN": {Secret: "token"}},
	} {
		assert.Equal(t, want, step(t, d, address).Env, address)
	}
}

func TestADifferenceOfTheEnvironmentIsToldByNamesOfSecretsAndTexts(t *testing.T) {
	a := resolve(t, source(t, environment), nil, nil)
	text := strings.ReplaceAll(environment, "{secret: pg}", "{secret: pg2}")
	require.Equal(t, []string{"step outer/plain: secrets {PASSWORD: pg2}, was {PASSWORD: pg}"},
		definition.Diff(a, resolve(t, source(t, text), nil, nil)))
	text = strings.ReplaceAll(environment, "HOST: db", "HOST: other")
	require.Equal(t, []string{`step outer/plain: env {HOST: "other", PORT: "6543"}, was {HOST: "db", PORT: "6543"}`},
		definition.Diff(a, resolve(t, source(t, text), nil, nil)))
	require.Empty(t, definition.Diff(a, a))
}

func TestAnotherTextIsOtherWorkAndAnotherSecretIsNot(t *testing.T) {
	a := definition.Step{Env: map[string]task.Variable{"LEVEL": {Value: "1"}, "TOKEN": {Secret: "old"}}}
	b := definition.Step{Env: map[string]task.Variable{"LEVEL": {Value: "1"}, "TOKEN": {Secret: "new"}}}
	require.Empty(t, definition.SameWork(a, b))
	b.Env["LEVEL"] = task.Variable{Value: "2"}
	require.Equal(t, []string{`env is {LEVEL: "2"} instead of {LEVEL: "1"}`}, definition.SameWork(a, b))
}

func TestTheEnvironmentIsPartOfTheHashAndCostsNothingWhereThereIsNone(t *testing.T) {
	with := resolve(t, source(t, environment), nil, nil)
	without := resolve(t, source(t, strings.ReplaceAll(environment, "{secret: token}", "text")), nil, nil)
	require.NotEqual(t, with.Hash(), without.Hash())
	hash := resolve(t, source(t, "{deed: v1, name: x, steps: {a: {run: a, env: {}}}}"), nil, nil).Hash()
	require.Equal(t, hash, resolve(t, source(t, "{deed: v1, name: x, steps: {a: {run: a}}}"), nil, nil).Hash())
}

func TestTheEnvironmentIsNotSetAtSubmitAndTheFaultSaysWhatIs(t *testing.T) {
	_, faults := definition.Resolve(source(t, environment), nil, map[string]string{"alone.env.HOST": "db"}, nil)
	require.Len(t, faults, 1)
	require.Contains(t, faults[0].String(), `"env.HOST" is no setting; the environment is what the definition says; give a param`)
}

func TestAnEnvironmentHasBounds(t *testing.T) {
	var many strings.Builder
	for i := range 65 {
		fmt.Fprintf(&many, "V%02d: x, ", i)
	}
	for name, tc := range map[string]struct{ env, want string }{
		"too many":  {many.String(), "env sets 65 variables, at most 64 are allowed"},
		"too long":  {"LONG: " + strings.Repeat("x", 4097), "the value of LONG is longer than 4096 bytes"},
		"long name": {strings.Repeat("V", 65) + ": x", "is no name of a variable"},
	} {
		t.Run(name, func(t *testing.T) {
			src, faults := parse.Bytes("x.yaml", []byte("{deed: v1, name: x, steps: {a: {run: a, env: {"+tc.env+"}}}}"))
			require.Empty(t, faults)
			faults = definition.Check(src)
			require.Len(t, faults, 1)
			require.Contains(t, faults[0].String(), tc.want)
		})
	}
}
