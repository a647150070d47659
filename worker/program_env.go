package worker

import (
	"bytes"
	"encoding/json"
	"fmt"
	"maps"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"slices"
	"strconv"
	"strings"

	"github.com/deedrun/deed/internal/tracing"
)

// passed are the variables of the worker's own environment that programs see.
// Everything else stays with the worker: it may hold credentials. TMPDIR is not
// passed but points into the private directory.
var passed = []string{
	"PATH", "HOME", "USER", "LOGNAME", "SHELL", "LANG", "LANGUAGE", "TZ", "TZDIR", "TERM",
	"SSL_CERT_FILE", "SSL_CERT_DIR", "SYSTEMROOT",
}

// defaultPath is for a worker without PATH.
const defaultPath = "/usr/local/bin:/usr/bin:/bin"

// surroundings is what a program sees of whatever task: what the step sets wins
// over what the worker passes on, and loses against what deed says.
func (t *Task) surroundings(temp string) environment {
	var env environment
	for _, variable := range os.Environ() {
		name, value, _ := strings.Cut(variable, "=")
		if slices.Contains(passed, name) || strings.HasPrefix(name, "LC_") {
			env.set(name, value)
		}
	}
	if os.Getenv("PATH") == "" {
		env.set("PATH", defaultPath)
	}
	env.set("TMPDIR", temp)
	for _, name := range slices.Sorted(maps.Keys(t.variables)) {
		env.set(name, t.variables[name])
	}
	if runtime.GOOS != "windows" {
		env.set("DEED_EVENTS", strconv.Itoa(eventsFile))
	}
	return env
}

// environment is all that the program of one task sees.
func (t *Task) environment(ws *Workspace) ([]string, error) {
	env := t.surroundings(ws.Temp)
	set := env.set
	set("DEED_IN", ws.In)
	set("DEED_OUT", ws.Out)
	set("DEED_TASK_FILE", ws.TaskFile)
	set("DEED_TASK", t.ID())
	set("DEED_PROCESS", t.Process())
	set("DEED_ADDRESS", t.Address())
	set("DEED_INDEX", strconv.Itoa(t.Index()))
	set("DEED_KEY", t.Key())
	set("DEED_ATTEMPT", strconv.Itoa(t.Attempt()))
	if trace := tracing.From(t.ctx); trace != "" {
		set("TRACEPARENT", trace)
	}
	taken := map[string]string{}
	for _, param := range slices.Sorted(maps.Keys(t.work.Params)) {
		name := paramVariable(param)
		if other, twice := taken[name]; twice {
			return nil, Permanent(fmt.Errorf("the parameters %q and %q would both be $%s: rename one", other, param, name))
		}
		taken[name] = param
		set(name, paramText(t.work.Params[param]))
	}
	return env.all, nil
}

// paramVariable is DEED_PARAM_ and the name in upper case, with "_" for
// everything that is neither letter nor digit.
func paramVariable(param string) string {
	return "DEED_PARAM_" + strings.Map(func(r rune) rune {
		switch {
		case r >= 'a' && r <= 'z':
			return r - 'a' + 'A'
		case r >= 'A' && r <= 'Z' || r >= '0' && r <= '9':
			return r
		}
		return '_'
	}, param)
}

// paramText is the text of a string, and the JSON of anything else.
func paramText(value json.RawMessage) string {
	var s string
	if json.Unmarshal(value, &s) == nil && !bytes.Equal(bytes.TrimSpace(value), []byte("null")) {
		return s
	}
	return string(value)
}

// lookPath finds an executable as the program would.
func lookPath(name string) (string, error) {
	if os.Getenv("PATH") != "" {
		return exec.LookPath(name)
	}
	for dir := range strings.SplitSeq(defaultPath, ":") {
		if path, err := exec.LookPath(filepath.Join(dir, name)); err == nil {
			return path, nil
		}
	}
	return "", exec.ErrNotFound
}

// taskFile is the task as $DEED_TASK_FILE tells it, and as a line on the standard
// input of a program that is kept alive.
type taskFile struct {
	ID         string                     `json:"id,omitempty"` // of this execution, for the answer of one that is kept alive
	Task       string                     `json:"task"`
	Process    string                     `json:"process"`
	Address    string                     `json:"address"`
	Generation int                        `json:"generation"`
	Index      int                        `json:"index"`
	Attempt    int                        `json:"attempt"`
	Key        string                     `json:"key"`
	Name       string                     `json:"name"` // file name of the element
	Params     map[string]json.RawMessage `json:"params"`
	Inputs     map[string]taskInput       `json:"inputs"`
	Outputs    map[string]string          `json:"outputs"`        // local name: path
	JSON       map[string]string          `json:"json,omitempty"` // local name: the type of the one JSON value that a part is
	In         string                     `json:"in"`
	Out        string                     `json:"out,omitempty"`
	Temp       string                     `json:"tmp,omitempty"`
	Trace      string                     `json:"traceparent,omitempty"`
}

type taskInput struct {
	Path string `json:"path"`
	Kind string `json:"kind"` // file or directory
}

func (t *Task) writeTaskFile(ws *Workspace) error {
	text, err := json.MarshalIndent(t.file(ws), "", "  ")
	if err != nil {
		return err
	}
	return os.WriteFile(ws.TaskFile, append(text, '\n'), 0o600)
}

func (t *Task) file(ws *Workspace) taskFile {
	key, name, _ := t.inherit() // whoever made ws has located the task
	f := taskFile{
		Task: t.ID(), Process: t.Process(), Address: t.Address(), Generation: t.work.Generation,
		Index: t.Index(), Attempt: t.Attempt(), Key: key, Name: name, Params: t.work.Params,
		Inputs: map[string]taskInput{}, Outputs: map[string]string{}, JSON: map[string]string{},
		In: ws.In, Out: ws.Out, Temp: ws.Temp, Trace: tracing.From(t.ctx),
	}
	for _, in := range t.work.Inputs {
		f.Inputs[in.Local] = taskInput{Path: filepath.Join(ws.In, in.Local), Kind: modes[in.Mode]}
	}
	for _, out := range t.work.Outputs {
		if ws.Out != "" {
			f.Outputs[out.Local] = filepath.Join(ws.Out, out.Local)
		}
		if out.JSON != "" {
			f.JSON[out.Local] = out.JSON
		}
	}
	return f
}
