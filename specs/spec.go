package specs

import (
	"errors"
	"fmt"
	"strings"
	"testing"

	"github.com/deedrun/deed/orchestrator/process"
)

// Spec is one rule. What follows is said in one of three ways: by the events
// themselves (Then), from the outside (Outcome), or by a refusal (Fails).
type Spec struct {
	Name    string
	Given   []process.Event
	After   []process.Command // what was asked for and reported after that; the core grants it first
	When    process.Command
	Then    []process.Event // all events that follow, in order; or Nothing
	Outcome *Outcome
	Sends   []process.Effect // if not nil: all effects of those events, in order
	Fails   string           // the command is refused, with an error that contains this
}

// Nothing follows: the command was granted before, or time has overtaken it.
var Nothing = []process.Event{}

// Feature is a chapter: rules that belong together.
type Feature struct {
	Name  string
	About string // a paragraph for the reader
	Specs []Spec
}

// Events lists events, for Given and Then.
func Events(events ...process.Event) []process.Event { return events }

// Check runs the rule against the real core and says, for a person, how what
// follows differs from what should.
func (s Spec) Check() error {
	if ways := count(s.Then != nil, s.Outcome != nil, s.Fails != ""); ways != 1 {
		return fmt.Errorf("spec %q: say either Then, Outcome or Fails", s.Name)
	}
	state, err := s.begin()
	if err != nil {
		return err
	}
	got, err := process.Decide(state, s.When)
	if s.Fails != "" {
		return s.checkRefusal(got, err)
	}
	if err != nil {
		return fmt.Errorf("%s\nwant\n%sgot a refusal\n  %w", s.title(), indented(s.follows()), err)
	}
	if s.Outcome != nil {
		err = s.Outcome.check(s.Name, process.Fold(state, got...), s.When, got)
	} else {
		err = s.checkEvents(got)
	}
	if err != nil {
		return err
	}
	return s.checkEffects(state, got)
}

// begin is the state in which When is asked for.
func (s Spec) begin() (process.State, error) {
	state := process.Fold(process.State{}, s.Given...)
	if err := state.Damage(); err != nil {
		return state, fmt.Errorf("spec %q: what is given cannot have happened: %w", s.Name, err)
	}
	for _, c := range s.After {
		events, err := process.Decide(state, c)
		if err != nil {
			return state, fmt.Errorf("spec %q: what is given cannot have happened: %q is refused: %w", s.Name, c, err)
		}
		state = process.Fold(state, events...)
	}
	return state, nil
}

func count(all ...bool) int {
	n := 0
	for _, is := range all {
		if is {
			n++
		}
	}
	return n
}

func (s Spec) checkRefusal(got []process.Event, err error) error {
	if err == nil {
		return fmt.Errorf("%s\nwant a refusal with %q\ngot\n%s", s.title(), s.Fails, sentences(got))
	}
	if !strings.Contains(err.Error(), s.Fails) {
		return fmt.Errorf("%s\nwant a refusal with\n  %s\ngot\n  %w", s.title(), s.Fails, err)
	}
	return nil
}

func (s Spec) checkEvents(got []process.Event) error {
	for _, e := range got {
		if at := timeOf(e); !at.Equal(timeOf(s.When)) {
			return fmt.Errorf("%s\n%q carries the time %s, not that of the command", s.title(), e, at)
		}
	}
	want, have := plain(s.Then), plain(got)
	if same(want, have) {
		return nil
	}
	wantText, gotText := sentences(s.Then), sentences(got)
	if wantText == gotText { // the words hide the difference
		wantText, gotText = structure(want), structure(have)
	}
	return fmt.Errorf("%s\nwant\n%sgot\n%s", s.title(), wantText, gotText)
}

func (s Spec) checkEffects(state process.State, got []process.Event) error {
	if s.Sends == nil {
		return nil
	}
	var effects []process.Effect
	for _, e := range got {
		state = process.Evolve(state, e)
		effects = append(effects, process.React(state, e)...)
	}
	if want, have := effectLines(s.Sends), effectLines(effects); want != have {
		return fmt.Errorf("%s\nwant to send\n%sgot\n%s", s.title(), want, have)
	}
	return nil
}

func (s Spec) title() string { return fmt.Sprintf("spec %q", s.Name) }

// Test runs every rule as a subtest named by its sentence.
func Test(t *testing.T, features ...Feature) {
	t.Helper()
	for _, f := range features {
		t.Run(f.Name, func(t *testing.T) {
			for _, s := range f.Specs {
				t.Run(s.Name, func(t *testing.T) {
					if err := s.Check(); err != nil {
						t.Error(err)
					}
				})
			}
		})
	}
}

// CheckAll runs every rule and joins what is wrong.
func CheckAll(features ...Feature) error {
	var all []error
	for _, f := range features {
		for _, s := range f.Specs {
			all = append(all, s.Check())
		}
	}
	return errors.Join(all...)
}
