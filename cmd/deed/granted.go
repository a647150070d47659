package main

import (
	"fmt"
	"strings"

	"github.com/deedrun/deed/orchestrator/process"
)

// grantedJSON is what the commands that change a process print with -o json.
type grantedJSON struct {
	ID        string         `json:"id"`
	Status    process.Status `json:"status"`
	Changed   bool           `json:"changed"`         // false: it was so already
	Event     string         `json:"event,omitempty"` // what happened, as a sentence
	Differs   []string       `json:"differs,omitempty"`
	Served    bool           `json:"served"`              // somebody orchestrates the process
	Executing int            `json:"executing,omitempty"` // tasks that workers had
}

// tell prints what came of a command, on standard output.
func (a *app) tell(g granted, text string, differs ...string) error {
	if a.output == "json" {
		j := grantedJSON{
			ID: g.after.ID, Status: g.after.Status, Changed: g.event != nil, Differs: differs, Served: g.served, Executing: g.executing,
		}
		if g.event != nil {
			j.Event = g.event.String()
		}
		return a.printJSON(j)
	}
	for _, d := range differs {
		text += "\n  " + d
	}
	_, err := fmt.Fprintln(a.stdout, printableLines(text))
	return err
}

// did is what happened, the process named: "restarted x from merge (anew: …)".
// Who asked is left out: it is who reads this.
func did(g granted) string {
	id, what := g.after.ID, ""
	switch e := g.event.(type) {
	case process.ProcessRetried:
		e.Asked = process.Asked{}
		what = e.String()
	case process.ProcessRestarted:
		e.Asked = process.Asked{}
		what = e.String()
	case process.ProcessRevised:
		e.Asked = process.Asked{}
		return "revised " + id + strings.TrimPrefix(e.String(), "definition revised")
	case process.ProcessPaused:
		return "paused " + id
	case process.ProcessCancelled:
		return "cancelled " + id
	case process.ProcessResumed:
		return "resumed " + id
	}
	verb, rest, _ := strings.Cut(strings.TrimPrefix(what, "process "), " ")
	return strings.TrimSpace(verb + " " + id + " " + rest)
}

// since says who made a process stand as it does, and why: ", by ada: lunch".
func since(s process.State) string {
	who := process.Asked{}
	switch {
	case s.Pause != nil:
		who = s.Pause.Asked
	case s.Cancel != nil:
		who = s.Cancel.Asked
	}
	if text := who.String(); text != "" {
		return "," + text
	}
	return ""
}

// unserved says of a command what it means that nobody serves the folder.
func (a *app) unserved(g granted) string {
	if g.served {
		return ""
	}
	return fmt.Sprintf("; nobody serves %s, so nothing of it runs", a.where())
}
