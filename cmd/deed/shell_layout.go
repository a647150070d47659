package main

import (
	"fmt"
	"io"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
)

// writeScript writes run.sh, which does what a worker would do.
func (l layout) writeScript() error {
	if l.Handler != "" {
		return nil
	}
	var b strings.Builder
	fmt.Fprintf(&b, `#!/bin/sh
# %s, as a worker runs it: in its working directory, with this environment and
# no other. What it writes to $DEED_OUT stays there; it is emptied before each run.
rm -rf %s %s && mkdir %s %s && cd %s || exit 1
exec env -i`, printable(l.work.At(l.work.Tasks[0].First).String()),
		always(l.Out), always(l.Temp), always(l.Out), always(l.Temp), always(l.Work))
	for _, variable := range l.Env {
		fmt.Fprintf(&b, " \\\n  %s", always(variable))
	}
	for _, name := range slices.Sorted(maps.Keys(l.Secrets)) {
		fmt.Fprintf(&b, " \\\n  \"%s=${%s:?holds the secret %s, which workers know: set it to run this}\"", name, name, l.Secrets[name])
	}
	command := append([]string{l.Path}, l.Args[1:]...)
	if l.Missing != nil {
		command = l.Args
	}
	for _, word := range command {
		fmt.Fprintf(&b, " \\\n  %s", always(word))
	}
	b.WriteString(" \\\n  3>&2\n") // what it tells a worker, $DEED_EVENTS, whoever tries it may read
	if err := os.WriteFile(l.script(), []byte(b.String()), 0o700); err != nil {
		return fmt.Errorf("write the script that runs the task: %w", err)
	}
	return nil
}

// always quotes a word for the shell, whatever it is.
func always(word string) string { return "'" + strings.ReplaceAll(word, "'", `'\''`) + "'" }

// layoutJSON is what `shell -o json` prints.
type layoutJSON struct {
	Task     string   `json:"task"`
	Attempt  int      `json:"attempt"`
	Dir      string   `json:"dir"`
	In       string   `json:"in"`
	TaskFile string   `json:"taskFile"`
	Handler  string   `json:"handler,omitempty"` // that executes it; then the rest is empty
	Out      string   `json:"out,omitempty"`
	Work     string   `json:"work,omitempty"`
	Script   string   `json:"script,omitempty"`
	Command  []string `json:"command,omitempty"`
	Env      []string `json:"env,omitempty"`

	Secrets map[string]string `json:"secrets,omitempty"` // by the variable that holds each one, which is not in env

	Missing string `json:"missing,omitempty"` // why the command cannot be started on this machine
}

// sayLayout tells what lies where.
func (a *app) sayLayout(l layout) error {
	at := l.work.At(l.work.Tasks[0].First)
	if a.output == "json" {
		j := layoutJSON{
			Task: at.Task(), Attempt: at.Attempt, Dir: l.Dir, In: l.In, TaskFile: l.TaskFile, Handler: l.Handler, Secrets: l.Secrets,
		}
		if l.Handler == "" {
			j.Out, j.Work, j.Script, j.Command, j.Env = l.Out, l.Work, l.script(), l.Args, l.Env
		}
		if l.Missing != nil {
			j.Missing = l.Missing.Error()
		}
		return a.printJSON(j)
	}
	fmt.Fprintf(a.stdout, "%s lies in %s\n\n", at.Task(), l.Dir)
	rows := [][]string{{"  in/", "what it reads ($DEED_IN): " + l.inputs()}}
	if l.Handler == "" {
		rows = append(rows,
			[]string{"  out/", "where it writes ($DEED_OUT): " + l.outputs()},
			[]string{"  work/", "where it runs: " + l.files()},
			[]string{"  tmp/", "its $TMPDIR"},
			[]string{"  run.sh", "runs it: " + shortened(strings.Join(l.Args, " "), 100)})
	}
	rows = append(rows, []string{"  task.json", "what it is told of itself ($DEED_TASK_FILE)"})
	if err := a.table(rows); err != nil {
		return err
	}
	l.saySecrets(a.stdout)
	switch {
	case l.Handler != "":
		fmt.Fprintf(a.stdout, "\nits handler %q is Go code of a worker: call it on these files from a test of yours\n", l.Handler)
	case l.Missing != nil:
		fmt.Fprintf(a.stdout, "\nit cannot be started on this machine: %s\n", printable(l.Missing.Error()))
	default:
		fmt.Fprintf(a.stdout, "\n%s\n", quote(l.script()))
	}
	return nil
}

// saySecrets tells what is not in the environment that is laid out.
func (l layout) saySecrets(to io.Writer) {
	if len(l.Secrets) == 0 || l.Handler != "" {
		return
	}
	fmt.Fprintln(to)
	for _, name := range slices.Sorted(maps.Keys(l.Secrets)) {
		fmt.Fprintf(to, "$%s holds the secret %s, which only workers know: set it yourself\n", name, l.Secrets[name])
	}
}

func (l layout) inputs() string {
	var names []string
	for _, in := range l.work.Inputs {
		name := in.Local
		if info, err := os.Stat(filepath.Join(l.In, in.Local)); err == nil && info.IsDir() {
			name += "/"
		}
		names = append(names, name)
	}
	return orNothing(names)
}

func (l layout) outputs() string {
	var names []string
	for _, out := range l.work.Outputs {
		names = append(names, out.Local)
	}
	return orNothing(names)
}

func (l layout) files() string {
	var names []string
	for _, f := range l.work.Files {
		names = append(names, f.Name)
	}
	if len(names) == 0 {
		return "no files travel with the definition"
	}
	return shortened(strings.Join(names, ", "), 100)
}

func orNothing(names []string) string {
	if len(names) == 0 {
		return "nothing"
	}
	return strings.Join(names, ", ")
}
