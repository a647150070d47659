// Package definition is what a process is: the form an author writes, the checker
// that finds what is wrong with it before anything runs, and the resolved form
// that the first event of a process carries.
//
//	file ── parse ──► Source ─┬─ Check ────► faults, each with its place and what to do about it
//	                          └─ Resolve ──► Definition: defaults, params and settings applied
//	                                         Set: another setting, while it runs
//	                                         Diff, SameWork: what is different in another one
//
// It is pure. The form is what package parse writes into a JSON Schema as well, so
// patterns and bounds that an editor should know are exported; the others the
// checker tells of.
package definition

import (
	"encoding/json"
	"slices"

	"github.com/deedrun/deed/task"
)

// Definition is a process definition, resolved: defaults filled in, parameters
// and settings applied, groups flattened to addresses. It is what the first
// event of a process carries, so it never changes under a running process.
type Definition struct {
	Name    string                     `json:"name"`
	Version string                     `json:"version,omitempty"` // the author's own
	Inputs  []string                   `json:"inputs,omitempty"`
	Params  map[string]json.RawMessage `json:"params,omitempty"` // scalars
	Files   []task.File                `json:"files,omitempty"`
	Steps   []Step                     `json:"steps"` // in the order of the file
	Outputs []string                   `json:"outputs,omitempty"`

	// Deadline is how long the process may take, from its start, or from when a
	// person last made it go again, pauses included; 0: for ever.
	Deadline task.Duration `json:"deadline,omitempty"`

	Parallelism int `json:"parallelism,omitempty"` // most tasks open at a time, of all steps together; 0: no limit
	Weight      int `json:"weight,omitempty"`      // its share of the workers beside other processes; 0: 1
}

// Step is one node that runs tasks.
type Step struct {
	Address     string        `json:"address"` // "group/sub/step"
	Run         task.Run      `json:"run"`
	Each        *Each         `json:"each,omitempty"` // nil: one task
	In          []Binding     `json:"in,omitempty"`
	Out         []Output      `json:"out,omitempty"`
	After       []string      `json:"after,omitempty"` // addresses of steps
	Timeout     task.Duration `json:"timeout,omitempty"`
	Retry       Retry         `json:"retry"`
	Parallelism int           `json:"parallelism,omitempty"` // most tasks open at a time; 0: no limit
	Tolerate    Tolerance     `json:"tolerate,omitzero"`     // how many tasks may fail for good

	Pool  string         `json:"pool,omitempty"` // of workers that may execute its tasks; "": those without one
	Needs task.Resources `json:"needs,omitzero"` // of each task
	Rate  Rate           `json:"rate,omitzero"`  // at most so many tasks are begun in a time; zero: no limit

	Env map[string]task.Variable `json:"env,omitempty"` // what tasks find in their environment, by name

	Params map[string]json.RawMessage `json:"params,omitempty"` // scalars that its tasks find before those of the process
	When   *Condition                 `json:"when,omitempty"`   // it is skipped unless this holds once all is there that it reads
	Cache  Cache                      `json:"cache,omitempty"`  // whether results of earlier tasks will do
	Limits task.Limits                `json:"limits,omitzero"`  // of each program that it starts

	// Process, instead of Run, makes each task a process of its own, a child, whose
	// inputs are the local names that the step reads, and whose outputs those that it writes.
	Process *Definition `json:"process,omitempty"`
	Repeat  *Repeat     `json:"repeat,omitempty"` // of a Process without each: rounds, one after another
}

// Output is a name that a step writes. With a JSON type each part of it is one small
// value, which travels in events, so that expressions can look at it.
type Output struct {
	Binding
	JSON Type `json:"json,omitempty"` // "": any data
}

// Outputs are outputs of any data.
func Outputs(bindings ...Binding) []Output {
	var all []Output
	for _, b := range bindings {
		all = append(all, Output{Binding: b})
	}
	return all
}

// Type is what a small value may be.
type Type string

// The types of small values.
const (
	Number  Type = "number"
	String  Type = "string"
	Boolean Type = "boolean"
	Object  Type = "object"
	Array   Type = "array"
)

// Cache says whether a step takes results of equal tasks that ran earlier, of
// whatever process, and leaves its own for later ones.
type Cache string

// What a step does with results of earlier tasks. The zero Cache: nothing.
const (
	CacheUse     Cache = "use"     // take them, and leave its own
	CacheRefresh Cache = "refresh" // leave its own only
)

// Repeat runs the child of a step again and again, each round a child of its own.
type Repeat struct {
	Carry   map[string]string `json:"carry,omitempty"`   // by input of the next round: the output of this one; empty lists in the first
	Collect []string          `json:"collect,omitempty"` // outputs that gather what all rounds wrote; of others the last round's stays
	Until   *Condition        `json:"until,omitempty"`   // over the outputs of a round: it was the last one; nil: there are Max
	Max     int               `json:"max"`               // rounds; if Until does not hold by then, the step fails
}

// Binding gives a name of the dataset the name by which a handler knows it.
type Binding struct {
	Local string `json:"local"`
	Data  string `json:"data"`
}

// Each is what a step fans out over: one task a part, or with ByKey one task a
// distinct key, or with ByKey and Into one task a bucket of keys. With further
// names beside it, ByKey joins: a task reads the parts of one key, or bucket, of
// each of them, and there is one for every key that any of them has.
type Each struct {
	Binding
	ByKey bool      `json:"byKey,omitempty"`
	Into  int       `json:"into,omitempty"`
	With  []Binding `json:"with,omitempty"`
}

// Retry says how often a task is tried, and how long to wait in between:
// Backoff.Min after the first failure, Factor times as long after each further
// one, at most Backoff.Max; of that, up to the share Jitter less, so that tasks
// which failed together do not come back together.
type Retry struct {
	Attempts int     `json:"attempts"`
	Backoff  Backoff `json:"backoff"`
	Factor   float64 `json:"factor,omitempty"` // 1 or more; 0: 2
	Jitter   float64 `json:"jitter,omitempty"` // 0 to 1
}

// Backoff is a span of waiting times, written "1s..30s".
type Backoff struct {
	Min task.Duration `json:"min"`
	Max task.Duration `json:"max"`
}

// JoinsByKey reports whether some step joins a name with others by its distinct
// keys, so that these have to be known beside the list.
func (d Definition) JoinsByKey(name string) bool {
	return slices.ContainsFunc(d.Steps, func(s Step) bool {
		is := func(b Binding) bool { return b.Data == name }
		return s.Each != nil && len(s.Each.With) > 0 && s.Each.Into == 0 && (is(s.Each.Binding) || slices.ContainsFunc(s.Each.With, is))
	})
}

// Step is the step at an address; ok is false if there is none.
func (d Definition) Step(address string) (s Step, ok bool) {
	i := slices.IndexFunc(d.Steps, func(s Step) bool { return s.Address == address })
	if i < 0 {
		return Step{}, false
	}
	return d.Steps[i], true
}

// Gathers reports whether an output is what all tasks of the step wrote; of a
// repeated child that is so if it is collected, else it is the last round's.
func (s Step) Gathers(out Output) bool {
	return s.Repeat == nil || slices.Contains(s.Repeat.Collect, out.Local)
}

// Reads lists the names of the dataset that the step, or its condition, reads,
// each once.
func (s Step) Reads() []string {
	var names []string
	seen := map[string]bool{}
	add := func(b Binding) {
		if !seen[b.Data] {
			seen[b.Data] = true
			names = append(names, b.Data)
		}
	}
	if s.Each != nil {
		add(s.Each.Binding)
		for _, b := range s.Each.With {
			add(b)
		}
	}
	for _, b := range s.In {
		add(b)
	}
	if s.When != nil {
		for _, name := range s.When.Names() {
			add(Binding{Data: name})
		}
	}
	return names
}
