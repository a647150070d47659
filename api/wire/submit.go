package wire

import (
	"encoding/json"

	"github.com/deedrun/deed/orchestrator"
	"github.com/deedrun/deed/task"
)

// Submit is a process to be started. The same again, under the same ID, attaches
// to the process that is there.
type Submit struct {
	ID         string            `json:"id,omitempty" pattern:"^[a-z0-9-]{1,64}$" doc:"Chosen by the caller, which makes it idempotent; none: one is made up."`
	Definition string            `json:"definition" minLength:"1" maxLength:"1048576" doc:"The text of the definition, YAML."`
	Named      map[string]string `json:"named,omitempty" doc:"The texts of the definitions that it names as processes, by their paths from its folder."`
	Params     map[string]string `json:"params,omitempty" doc:"Values of its parameters, as on a command line."`
	Settings   map[string]string `json:"settings,omitempty" doc:"By address.setting, such as count.timeout."`
	Inputs     map[string]Input  `json:"inputs,omitempty"`
	Files      []File            `json:"files,omitempty" doc:"The files that the definition names; they are stored already."`
	NoCache    bool              `json:"noCache,omitempty" doc:"Execute also what equal tasks did before, and replace what they left."`
	By         string            `json:"by,omitempty" maxLength:"256" doc:"Who asks, as others know them; the history keeps it."`
}

// Input is the parts of an input, in order: references to what is stored
// already, or values.
type Input struct {
	Parts  []task.Part       `json:"parts,omitempty" doc:"Each with a ref, to a blob that is stored already, or a value."`
	Values []json.RawMessage `json:"values,omitempty" doc:"A part a value."`
}

// File is a file that travels with a definition.
type File struct {
	Name string   `json:"name" minLength:"1" maxLength:"1024"`
	Ref  task.Ref `json:"ref"`
}

// Submitted is what became of a Submit.
type Submitted struct {
	ID       string `json:"id"`
	Attached bool   `json:"attached,omitempty" doc:"The process was there already, and is the same."`
	Events   uint64 `json:"events"`
}

// Processes is a page of the list of processes, the latest first.
type Processes struct {
	Processes []orchestrator.Summary `json:"processes"`
	Next      string                 `json:"next,omitempty" doc:"Where the next page begins; empty: this was the last."`
}

// History is a page of the events of a process.
type History struct {
	Events []Event `json:"events"`
	Next   uint64  `json:"next,omitempty" doc:"after= of the next page; 0: this was the last."`
}
