package worker

import (
	"context"
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/deedrun/deed/task"
)

// Env is what a variable holds that the step sets under env: a text, or what the
// worker found for a secret when the task started. What the step does not set is
// an error, whatever the worker's own environment has.
func (t *Task) Env(name string) (string, error) {
	if value, ok := t.variables[name]; ok {
		return value, nil
	}
	return "", fmt.Errorf("read variable: %w", unknownName(name, "the step sets", slices.Sorted(maps.Keys(t.work.Env))))
}

// findVariables looks up what the step sets. From then on the secrets among it
// are hidden in whatever the task says. A secret that is missing costs an
// attempt: another worker may have it, or somebody gives it to this one.
func (t *Task) findVariables(ctx context.Context) error {
	if len(t.work.Env) == 0 {
		return nil
	}
	variables := make(map[string]string, len(t.work.Env))
	var secrets []string
	for _, name := range slices.Sorted(maps.Keys(t.work.Env)) {
		v := t.work.Env[name]
		if err := checkVariable(name, v); err != nil {
			return err
		}
		if v.Secret == "" {
			variables[name] = v.Value
			continue
		}
		value, err := t.secrets(ctx, v.Secret)
		switch {
		case err != nil:
			return fmt.Errorf("worker %q has no secret %q, which $%s is to hold: %w", t.worker, v.Secret, name, err)
		case strings.Contains(value, "\x00"):
			return fmt.Errorf("the secret %q on worker %q has a zero byte: no variable can hold it", v.Secret, t.worker)
		}
		variables[name] = value
		secrets = append(secrets, value)
	}
	t.variables = variables
	t.mask.Store(newMask(secrets))
	return nil
}

// checkVariable refuses what no definition says.
func checkVariable(name string, v task.Variable) error {
	switch {
	case !task.ValidVariable(name) || strings.HasPrefix(name, task.OwnVariables):
		return Permanent(fmt.Errorf("the message sets the variable %q, which no step may: the sender is at fault", clip(name)))
	case v.Secret != "" && !task.ValidSecret(v.Secret):
		return Permanent(fmt.Errorf("the message names the secret %q, which is no name: the sender is at fault", clip(v.Secret)))
	case v.Secret != "" && v.Value != "":
		return Permanent(fmt.Errorf("the message gives the variable %q a text and a secret: the sender is at fault", name))
	}
	return nil
}

// conceal hides the secrets of the task in what it says.
func (t *Task) conceal(text string) string { return t.mask.Load().text(text) }

// unfound are the variables as far as a definition tells them; which secrets the
// others hold only a worker knows.
func unfound(env map[string]task.Variable) (texts, secrets map[string]string) {
	if len(env) == 0 {
		return nil, nil
	}
	texts, secrets = map[string]string{}, map[string]string{}
	for name, v := range env {
		if v.Secret != "" {
			secrets[name] = v.Secret
		} else {
			texts[name] = v.Value
		}
	}
	return texts, secrets
}

// environment is an environment in which a name occurs once: what is set last
// counts.
type environment struct {
	all []string // "NAME=value", in the order in which the names came
	at  map[string]int
}

func (e *environment) set(name, value string) {
	if e.at == nil {
		e.at = map[string]int{}
	}
	variable := name + "=" + strings.ReplaceAll(value, "\x00", "")
	if i, there := e.at[name]; there {
		e.all[i] = variable
		return
	}
	e.at[name] = len(e.all)
	e.all = append(e.all, variable)
}
