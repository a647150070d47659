package file

import (
	"maps"
	"slices"
	"strings"
	"time"

	"github.com/deedrun/deed/orchestrator/definition"
	"github.com/deedrun/deed/orchestrator/definition/parse"
	"github.com/deedrun/deed/orchestrator/process"
	"github.com/deedrun/deed/specs"
)

// expectation is what should follow, as it was written. What is nil was not said.
type expectation struct {
	definition.Pos
	at        map[string]definition.Pos // of its keys
	events    []string
	status    process.Status
	steps     map[string]string
	scheduled []subject
	retries   []waiting
	skipped   []subject
	data      []named
	because   string
	refused   string
}

type waiting struct {
	subject
	wait time.Duration
}

const refused = "refused"

// then reads what follows: all events, as a text of lines or as a list, or what
// one sees from the outside.
func (r *reader) then(e parse.Entry) expectation {
	x := expectation{Pos: e.Key.Pos, at: map[string]definition.Pos{}}
	if !e.Value.IsMapping() {
		x.events = r.events(e.Value)
		return x
	}
	known := table{
		specs.AboutEvents:    func(e parse.Entry) { x.events = r.events(e.Value) },
		specs.AboutStatus:    func(e parse.Entry) { x.status = r.status(e) },
		specs.AboutSteps:     func(e parse.Entry) { x.steps = r.steps(e) },
		specs.AboutScheduled: func(e parse.Entry) { x.scheduled = r.subjects(e) },
		specs.AboutRetries:   func(e parse.Entry) { x.retries = r.waiting(e) },
		specs.AboutSkipped:   func(e parse.Entry) { x.skipped = r.subjects(e) },
		specs.AboutData:      func(e parse.Entry) { x.data = r.inputs(e).parts },
		specs.AboutBecause:   func(e parse.Entry) { x.because = r.text(e).Value },
		refused:              func(e parse.Entry) { x.refused = r.text(e).Value },
	}
	r.keys(e.Value, "then", "", known)
	for _, entry := range e.Value.Entries {
		x.at[entry.Key.Value] = entry.Key.Pos
	}
	switch {
	case len(e.Value.Entries) == 0:
		r.fault(e.Value.Pos, "nothing-said", "write nothing, if nothing follows", "then says nothing")
	case x.refused != "" && len(e.Value.Entries) > 1:
		r.fault(x.at[refused], "wrong-type", "leave the others out", "what is refused has no other outcome")
	}
	return x
}

const nothing = "nothing"

// events reads sentences. In a list, one with a colon looks like a mapping of
// one key to YAML; it is the sentence that it was meant to be.
func (r *reader) events(t *parse.Tree) []string {
	all := []string{}
	if text, ok := t.Text(); ok {
		for line := range strings.Lines(text) {
			if line = strings.TrimSpace(line); line != "" && line != nothing {
				all = append(all, line)
			}
		}
		return all
	}
	if !t.IsList() {
		r.fault(t.Pos, "wrong-type", "write what follows, one event a line, as deed prints it; or nothing", "events must be a text or a list, not %s", t)
		return all
	}
	for _, item := range t.Items {
		text, ok := item.Scalar()
		if !ok && len(item.Entries) == 1 {
			var rest string
			rest, ok = item.Entries[0].Value.Scalar()
			text = item.Entries[0].Key.Value + ": " + rest
		}
		if !ok {
			r.fault(item.Pos, "wrong-type", "put it into quotes", "an event must be a sentence, not %s", item)
		}
		all = append(all, strings.TrimSpace(text))
	}
	return all
}

func (r *reader) oneOf(t *parse.Tree, what string, known ...string) string {
	text, _ := t.Text()
	if !slices.Contains(known, text) {
		r.fault(t.Pos, "unknown-word", r.spell.Choice(text, known), "%s cannot be %s", what, t)
	}
	return text
}

func (r *reader) status(e parse.Entry) process.Status {
	return process.Status(r.oneOf(e.Value, "status", string(process.Running), string(process.Paused),
		string(process.Completed), string(process.Failed), string(process.Cancelled)))
}

func (r *reader) steps(e parse.Entry) map[string]string {
	all := map[string]string{}
	for _, entry := range r.entries(e.Value, "steps", "write {count: completed}") {
		all[entry.Key.Value] = r.oneOf(entry.Value, "a step", "waiting", "running", "sealing", "completed", "skipped")
	}
	return all
}

// subjects reads tasks: those of one step, or a list of such.
func (r *reader) subjects(e parse.Entry) []subject {
	all := []subject{}
	items := []*parse.Tree{e.Value}
	if e.Value.IsList() {
		items = e.Value.Items
	} else if text, _ := e.Value.Text(); text == nothing {
		return all
	}
	for _, item := range items {
		text, ok := item.Text()
		if !ok {
			r.fault(item.Pos, "wrong-type", "write count[0-2], or nothing", "%s must be tasks, not %s", e.Key.Value, item)
			continue
		}
		if s, ok := r.subject(definition.Text{Value: text, Pos: item.Pos}, e.Key.Value); ok {
			all = append(all, s)
		}
	}
	return all
}

func (r *reader) waiting(e parse.Entry) []waiting {
	all := []waiting{}
	if text, _ := e.Value.Text(); text == nothing {
		return all
	}
	for _, entry := range r.entries(e.Value, e.Key.Value, "write count[1]: 2s below it, or nothing") {
		if s, ok := r.subject(entry.Key, e.Key.Value); ok {
			all = append(all, waiting{s, r.duration(entry)})
		}
	}
	return all
}

// addresses are those that an expectation names, with their places.
func (x expectation) addresses() []definition.Text {
	var all []definition.Text
	for _, address := range slices.Sorted(maps.Keys(x.steps)) {
		all = append(all, definition.Text{Value: address, Pos: x.at[specs.AboutSteps]})
	}
	for _, s := range slices.Concat(x.scheduled, x.skipped) {
		all = append(all, definition.Text{Value: s.address, Pos: s.Pos})
	}
	for _, w := range x.retries {
		all = append(all, definition.Text{Value: w.address, Pos: w.Pos})
	}
	return all
}
