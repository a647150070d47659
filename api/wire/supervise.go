package wire

import (
	"github.com/deedrun/deed/orchestrator/process"
	"github.com/deedrun/deed/task"
)

// Asked is who asks for something, and why: the history keeps it. A command that
// has an ID counts once, however often it is sent.
type Asked struct {
	By      string `json:"by,omitempty" maxLength:"256" doc:"Who asks, as others know them."`
	Reason  string `json:"reason,omitempty" maxLength:"4096"`
	Command string `json:"command,omitempty" maxLength:"64" doc:"An ID chosen by the caller: with it, the same request again counts once."`
}

// Process is how the core is told.
func (a Asked) Process() process.Asked {
	return process.Asked{By: a.By, Reason: a.Reason, Command: a.Command}
}

// Retry is which tasks get a fresh budget.
type Retry struct {
	Asked
	Address string      `json:"address,omitempty" doc:"Of a step or a group; empty: whatever failed."`
	Tasks   task.Ranges `json:"tasks,omitempty" doc:"Of that step, such as 2-5,9; empty: whatever failed there."`
}

// Restart is from where a process is run again.
type Restart struct {
	Asked
	From string `json:"from" minLength:"1" doc:"The address of the step or group to begin anew."`
}

// Settings are those of one process that are to change.
type Settings struct {
	Asked
	Settings map[string]string `json:"settings" minProperties:"1" doc:"By address.setting, such as count.timeout; deadline is the process's own."`
}

// Revision is another definition for a process.
type Revision struct {
	Asked
	Definition string            `json:"definition" minLength:"1" maxLength:"1048576" doc:"The text of the definition, YAML."`
	Named      map[string]string `json:"named,omitempty" doc:"The texts of the definitions that it names as processes, by their paths from its folder."`
	Params     map[string]string `json:"params,omitempty" doc:"Those that are to change."`
	Settings   map[string]string `json:"settings,omitempty"`
	Files      []File            `json:"files,omitempty" doc:"The files that the definition names; they are stored already."`
}

// Granted is what became of a command.
type Granted struct {
	ID      string         `json:"id"`
	Status  process.Status `json:"status"`
	Changed bool           `json:"changed" doc:"false: it was so already."`
	Event   string         `json:"event,omitempty" doc:"What happened, as a sentence."`
	Differs []string       `json:"differs,omitempty" doc:"What of the definition is different now."`
}
