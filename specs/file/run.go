package file

import (
	"errors"
	"fmt"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"github.com/deedrun/deed/orchestrator/definition"
	"github.com/deedrun/deed/orchestrator/process"
	"github.com/deedrun/deed/specs"
	"github.com/deedrun/deed/task"
)

// maxCost bounds what the specifications of a file may have the core do:
// parts, tasks that are reported and steps that are looked at, summed up.
const maxCost = 1_000_000

// noon is when a specification begins.
var noon = time.Date(2026, 1, 1, 12, 0, 0, 0, time.UTC)

// course is a process on its way through a specification.
type course struct {
	*told
	file   *File
	cost   *int // what is left
	def    definition.Definition
	state  process.State
	now    time.Time
	merged map[string]map[string]int // by manifest: parts by key
	spell  *definition.Speller
}

// run makes a specification of what was told, as far as it goes, and checks it.
func (f *File) run(s *told, cost *int, spell *definition.Speller) Result {
	c := &course{told: s, file: f, cost: cost, spell: spell, now: noon, merged: map[string]map[string]int{}}
	result := Result{Pos: s.name.Pos, Spec: specs.Spec{Name: s.name.Value}}
	if err := c.tell(&result.Spec); err != nil {
		result.Problems = c.problems(err)
		return result
	}
	if err := result.Spec.Check(); err != nil {
		result.Problems = c.problems(err)
	}
	return result
}

// placedError is an error with its place in the file.
type placedError struct {
	definition.Pos
	err error
}

func (e *placedError) Error() string { return e.err.Error() }
func (e *placedError) Unwrap() error { return e.err }

func at(pos definition.Pos, format string, args ...any) error {
	return &placedError{pos, fmt.Errorf(format, args...)}
}

// problems places what is wrong: at what was told, or at the expectation.
func (c *course) problems(err error) []Problem {
	if several, ok := err.(interface{ Unwrap() []error }); ok {
		var all []Problem
		for _, err := range several.Unwrap() {
			all = append(all, c.problems(err)...)
		}
		return all
	}
	p := Problem{Pos: c.then.Pos, Text: strings.TrimPrefix(err.Error(), fmt.Sprintf("spec %q", c.name.Value))}
	p.Text = strings.TrimLeft(p.Text, ":\n ")
	if placed := (*placedError)(nil); errors.As(err, &placed) {
		p.Pos = placed.Pos
	}
	if mismatch := (*specs.MismatchError)(nil); errors.As(err, &mismatch) {
		if key, ok := c.then.at[mismatch.About]; ok {
			p.Pos = key
		}
	}
	return []Problem{p}
}

// tell lets the given things happen, one after the other.
func (c *course) tell(s *specs.Spec) error {
	start, err := c.start()
	if err != nil {
		return err
	}
	given := c.given
	if c.when.verb == "started" && len(given) == 0 {
		if c.now, err = c.clock(*c.when); err != nil {
			return err
		}
		start.At = c.now
		s.When = start
	} else if err := c.happen(s, c.name.Pos, start); err != nil {
		return err
	}
	for _, h := range given {
		each, err := c.apart(h)
		if err != nil {
			return err
		}
		for _, h := range each {
			command, err := c.command(h, start)
			if err == nil {
				err = c.happen(s, h.Pos, command)
			}
			if err != nil {
				return err
			}
		}
	}
	if s.When == nil {
		if s.When, err = c.command(*c.when, start); err != nil {
			return err
		}
	}
	return c.expect(s)
}

// happen lets the core decide one command, which has to change something:
// what is given did happen.
func (c *course) happen(s *specs.Spec, pos definition.Pos, command process.Command) error {
	events, err := process.Decide(c.state, command)
	switch {
	case err != nil:
		return at(pos, "what is given is refused: %s: %w", command, err)
	case len(events) == 0:
		return at(pos, "what is given changes nothing: %s; leave it out, or make it the when", command)
	}
	c.state = process.Fold(c.state, events...)
	s.After = append(s.After, command)
	return nil
}

func (c *course) start() (process.StartProcess, error) {
	def, faults, err := c.file.versions.resolve(c.file.Definition, c.params.texts, c.set.texts)
	if err == nil && len(faults) > 0 {
		err = errors.New(faults[0].String())
	}
	if err != nil {
		return process.StartProcess{}, at(c.name.Pos, "%w", err)
	}
	c.def = def
	start := process.StartProcess{ID: def.Name, Definition: def, Inputs: map[string]task.Dataset{}, At: c.now}
	for _, in := range byName(c.inputs.parts) {
		if err := c.known("input", in.name, def.Inputs); err != nil {
			return start, err
		}
		if err := c.spend(in.parts.count); err != nil {
			return start, err
		}
		start.Inputs[in.name.Value] = task.Inline(in.parts.list(in.name.Value))
	}
	for _, name := range def.Inputs {
		if _, given := start.Inputs[name]; !given {
			return start, at(c.name.Pos, "input %q is not given; write inputs: {%s: 3}", name, name)
		}
	}
	return start, c.spend(len(def.Steps))
}

// revised is the definition that a process is to go on with.
func (c *course) revised(h happening) (definition.Definition, error) {
	params, set := c.params, c.set
	if h.params != nil {
		params = *h.params
	}
	if h.set != nil {
		set = *h.set
	}
	path := filepath.Join(filepath.Dir(c.file.Path), filepath.FromSlash(h.path))
	def, faults, err := c.file.versions.resolve(path, params.texts, set.texts)
	if err == nil && len(faults) > 0 {
		err = errors.New(faults[0].String())
	}
	if err != nil {
		return def, at(h.Pos, "%w", err)
	}
	return def, c.spend(len(def.Steps))
}

// clock is when something happens. A retry and a deadline come when they are due.
func (c *course) clock(h happening) (time.Time, error) {
	now := c.now.Add(h.after)
	if h.at != nil {
		day := time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC)
		if now = day.Add(*h.at).Add(h.after); now.Before(c.now) {
			return now, at(h.Pos, "%s is before %s, when the last thing happened; say after: how much later it is",
				now.Format(time.TimeOnly), c.now.Format(time.TimeOnly))
		}
		return now, nil
	}
	due := time.Time{}
	switch h.verb {
	case "retry due":
		due = c.due(h.subject)
	case "deadline":
		due = c.state.Deadline()
	}
	if h.after == 0 && due.After(now) {
		return due, nil
	}
	return now, nil
}

func (c *course) spend(n int) error {
	if *c.cost -= n + 1; *c.cost < 0 {
		return at(c.name.Pos, "the specifications up to here make more work than a file may; use smaller numbers, or share them among several files")
	}
	return nil
}

func (c *course) known(what string, word definition.Text, known []string) error {
	if slices.Contains(known, word.Value) {
		return nil
	}
	if hint := c.spell.Hint(word.Value, known); hint != "" {
		return at(word.Pos, "there is no %s %s; %s", what, quote(word.Value), hint)
	}
	const most = 10
	some := known
	if len(some) > most {
		some = append(some[:most:most], "…")
	}
	return at(word.Pos, "there is no %s %s; there are %s", what, quote(word.Value), strings.Join(some, ", "))
}
