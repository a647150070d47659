package wire

import (
	"encoding/json"

	"github.com/deedrun/deed/task"
)

// Outputs lists the outputs of a process that are there.
type Outputs struct {
	Outputs []Output `json:"outputs"`
}

// Output is an output, as metadata.
type Output struct {
	Name  string `json:"name"`
	Parts int    `json:"parts"`
	Keys  int    `json:"keys,omitempty"`
	Bytes int64  `json:"bytes"`
}

// Parts is a page of the parts of an output.
type Parts struct {
	Count int          `json:"count" doc:"Parts in all."`
	Parts []OutputPart `json:"parts"`
}

// OutputPart is a part of an output: a blob, or a value.
type OutputPart struct {
	Part  int             `json:"part" doc:"Its number, from 0."`
	Key   string          `json:"key,omitempty"`
	Name  string          `json:"name,omitempty"`
	Size  int64           `json:"size"`
	Value json.RawMessage `json:"value,omitempty"`
	Ref   *task.Ref       `json:"ref,omitempty"`
}
