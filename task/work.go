package task

import (
	"encoding/json"
	"fmt"
	"time"
)

// Run says what executes a task: exactly one of a registered handler, a
// command with its arguments, or a shell script.
type Run struct {
	Handler string   `json:"handler,omitempty"` // "words/count", or pinned to a version: "words/count@2"
	Command []string `json:"command,omitempty"`
	Shell   string   `json:"shell,omitempty"`

	// Keep, with a Command: one program a slot stays alive and is fed tasks as JSON
	// lines; else each task starts its own.
	Keep bool `json:"keep,omitempty"`
}

// Work is one message on the work queue: the header of a step and the tasks of
// it to execute. It holds all that a worker needs, so a worker never asks.
type Work struct {
	Tasks      Ranges                     `json:"tasks"` // first on the wire: see Header
	Process    string                     `json:"process"`
	Root       string                     `json:"root,omitempty"` // of a child: the process that all of it is part of
	Address    string                     `json:"address"`
	Generation int                        `json:"generation,omitempty"`
	Attempt    int                        `json:"attempt"`
	Run        Run                        `json:"run"`
	Params     map[string]json.RawMessage `json:"params,omitempty"`
	Inputs     []Input                    `json:"inputs,omitempty"`
	Outputs    []Output                   `json:"outputs,omitempty"`
	Files      []File                     `json:"files,omitempty"`
	Env        map[string]Variable        `json:"env,omitempty"`     // by name
	Timeout    Duration                   `json:"timeout,omitempty"` // execution time of one attempt; 0: none
	Pool       string                     `json:"pool,omitempty"`    // of workers that may execute it; "": those without one
	Needs      Resources                  `json:"needs,omitzero"`    // of each task
	Limits     Limits                     `json:"limits,omitzero"`   // of each program
	Cache      bool                       `json:"cache,omitempty"`   // look for an equal task that ran earlier, and leave the result for later ones
	Refresh    bool                       `json:"refresh,omitempty"` // with Cache: do not look
	Scope      string                     `json:"scope,omitempty"`   // with Cache: whose processes share results, the name of a definition
	Seal       *Seal                      `json:"seal,omitempty"`    // only for the handler deed/seal
}

// Attempt names one execution of one task.
type Attempt struct {
	Process    string `json:"process"`
	Address    string `json:"address"`
	Generation int    `json:"generation,omitempty"`
	Index      int    `json:"index"`
	Attempt    int    `json:"attempt"`
}

// At is the attempt at task i of the message.
func (w Work) At(i int) Attempt {
	return Attempt{Process: w.Process, Address: w.Address, Generation: w.Generation, Index: i, Attempt: w.Attempt}
}

// Task is the name of the task, the same for every attempt at it: the
// idempotency key for whatever a handler does outside.
func (a Attempt) Task() string {
	if a.Generation > 0 {
		return fmt.Sprintf("%s/%s~%d[%d]", a.Process, a.Address, a.Generation, a.Index)
	}
	return fmt.Sprintf("%s/%s[%d]", a.Process, a.Address, a.Index)
}

// String names the attempt for people and logs.
func (a Attempt) String() string { return fmt.Sprintf("%s attempt %d", a.Task(), a.Attempt) }

// Mode is how a task sees an input.
type Mode string

// The modes of an input.
const (
	Element Mode = "element" // one part: part i of the list for task i
	Group   Mode = "group"   // a list: the parts of the i-th distinct key, or of bucket i
	Whole   Mode = "whole"   // a list: all parts, for every task
)

// Input is a name that the step reads, under its local name.
//
// Either Manifest says where the list lies, and the worker picks what Mode
// gives to a task, or Lists carries it: for Element and Group the k-th list is
// what the k-th task of Work.Tasks reads, for Whole there is one for all.
type Input struct {
	Local    string    `json:"local"`
	Mode     Mode      `json:"mode"`
	Into     int       `json:"into,omitempty"` // Group: number of buckets; 0: one task a distinct key
	Keys     []string  `json:"keys,omitempty"` // Group, of a join: the k-th task of Work.Tasks reads the parts of the k-th key
	Manifest *Manifest `json:"manifest,omitempty"`
	Lists    [][]Part  `json:"lists,omitempty"`
	Digest   string    `json:"digest,omitempty"` // of the whole list, see Dataset
}

// Output is a name that the step writes: a handler says Local, the dataset is
// Data. With JSON each part is one small value of that type ("number", "string",
// "boolean", "object", "array"), of at most MaxValue bytes, and stays inline in
// the report.
type Output struct {
	Local string `json:"local"`
	Data  string `json:"data"`
	JSON  string `json:"json,omitempty"`
}

// MaxValue is how many bytes a small value may have whose type is declared.
const MaxValue = 1 << 10

// Limits are what a program may use; 0: no limit.
type Limits struct {
	Memory    int64    `json:"memory,omitempty"`    // bytes of address space
	CPUTime   Duration `json:"cpuTime,omitempty"`   // of the program and what it starts
	OpenFiles int      `json:"openFiles,omitempty"` // at a time
}

// IsZero reports whether there is none.
func (l Limits) IsZero() bool { return l == Limits{} }

// File travels with the definition and lies in a program's working directory.
type File struct {
	Name string `json:"name"` // relative, slash-separated, inside the working directory
	Ref  Ref    `json:"ref"`
}

// Seal tells the handler deed/seal what to merge: the parts of one name, from
// many sources, into one manifest ordered by (key, index, ordinal).
type Seal struct {
	Data    string   `json:"data"`
	Keys    bool     `json:"keys,omitempty"` // the result lists its keys, see Dataset.KeyNames
	Sources []Source `json:"sources"`
}

// Source is what one report, or one earlier merge, contributes to a seal.
type Source struct {
	Report *Ref       `json:"report,omitempty"` // a report's manifest: it speaks for Tasks only
	Tasks  Ranges     `json:"tasks,omitempty"`
	Parts  []Produced `json:"parts,omitempty"`  // a report's inline parts
	Merged *Manifest  `json:"merged,omitempty"` // the manifest of an earlier merge, taken whole; with Tasks, what that one task wrote to Data
	Data   string     `json:"data,omitempty"`   // the name that Merged is of, if Tasks is set
}

// Duration is a time.Duration that reads and writes as "1m30s".
type Duration time.Duration

// String is the duration as Go writes it, without needless zero units.
func (d Duration) String() string {
	s := time.Duration(d).String()
	if n := len(s); n > 2 && s[n-2:] == "0s" && s[n-3] == 'm' {
		s = s[:n-2]
	}
	if n := len(s); n > 2 && s[n-2:] == "0m" && s[n-3] == 'h' {
		s = s[:n-2]
	}
	return s
}

// MarshalText writes "1m30s".
func (d Duration) MarshalText() ([]byte, error) { return []byte(d.String()), nil }

// UnmarshalText reads what time.ParseDuration reads.
func (d *Duration) UnmarshalText(text []byte) error {
	v, err := time.ParseDuration(string(text))
	if err != nil {
		return fmt.Errorf("duration %q: write it like 30s, 5m or 1h30m", clip(text))
	}
	*d = Duration(v)
	return nil
}
