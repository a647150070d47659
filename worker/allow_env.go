package worker

import (
	"fmt"
	"maps"
	"path"
	"slices"
	"strings"

	"github.com/deedrun/deed/task"
)

// setVariables says which variables steps may set for the programs.
func (p *programs) setVariables(patterns []string) error {
	if err := CheckAllowEnv(patterns); err != nil {
		return err
	}
	p.variables = patterns
	return nil
}

// CheckAllowEnv says what is wrong with patterns for [Options].AllowEnv.
func CheckAllowEnv(patterns []string) error {
	for _, text := range patterns {
		if _, err := path.Match(text, ""); err != nil || text == "" {
			return fmt.Errorf("allow-env %q: write the name of a variable, perhaps with wildcards, such as 'PG*'", clip(text))
		}
	}
	return nil
}

// refusesEnv says which variable keeps a program that may run from being run as
// the step wants it; nil: none. A script could set it itself.
func (p programs) refusesEnv(work *task.Work) error {
	if p.all || work.Run.Shell != "" || slices.ContainsFunc(p.patterns, func(one pattern) bool { return one.rest && len(one.words) == 0 }) {
		return nil
	}
	for _, name := range slices.Sorted(maps.Keys(work.Env)) {
		if slices.ContainsFunc(p.variables, func(allowed string) bool { ok, _ := path.Match(allowed, name); return ok }) {
			continue
		}
		allowed := "none"
		if len(p.variables) > 0 {
			allowed = clip(strings.Join(p.variables, ", "))
		}
		return fmt.Errorf("this worker does not let a step set the variable %q for a program: it allows %s (--allow-env)", clip(name), allowed)
	}
	return nil
}
