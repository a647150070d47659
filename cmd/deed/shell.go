package main

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"

	"github.com/spf13/cobra"
	"golang.org/x/term"

	"github.com/deedrun/deed"
	"github.com/deedrun/deed/internal/amount"
	"github.com/deedrun/deed/orchestrator/process"
	"github.com/deedrun/deed/task"
	"github.com/deedrun/deed/worker"
)

func (a *app) shell() *cobra.Command {
	var dir string
	var start bool
	var read []string
	cmd := &cobra.Command{
		Use:   "shell ID ADDRESS[INDEX]",
		Short: "Lay a task out in a directory, to try it by hand",
		Long: `Shell lays out what a task finds when it is executed: its inputs, the files of the
definition, its environment and its command, which run.sh runs. That can be any
task of a step that has started, done or not. Nothing is reported: what it writes
stays in the directory, which is yours.

` + whichID,
		Example: "  deed shell word-count-x7 'count[3]'\n  deed shell word-count-x7 'count[3]' --dir try --start",
		Args:    between("ID and the ADDRESS[INDEX] of a task", 2, 2),
		RunE: func(cmd *cobra.Command, args []string) error {
			if start && !a.atTerminal() {
				return usagef("--start needs a terminal; without it, look into the directory and run run.sh")
			}
			address, index, err := parseTask(args[1])
			if err != nil {
				return err
			}
			var l layout
			err = a.attachedWith(cmd.Context(), deed.Options{Read: read}, func(ctx context.Context, r *deed.Runtime) error {
				w, err := a.work(ctx, r, args[0], address, index)
				if err != nil {
					return err
				}
				index := w.Tasks[0].First
				into := cmp.Or(dir, fmt.Sprintf("%s-%s-%d", w.Process, strings.ReplaceAll(address, "/", "-"), index))
				l.work = w
				l.Workspace, err = worker.LayOut(ctx, w, index, r.Blobs, into)
				return err
			})
			if err == nil {
				err = l.writeScript()
			}
			if err == nil {
				err = a.sayLayout(l)
			}
			if err == nil && start {
				err = a.startShell(cmd.Context(), l)
			}
			return err
		},
	}
	cmd.Flags().StringVar(&dir, "dir", "", "`DIR` to lay it out in, which has to be empty (default: one named after the task)")
	readFlag(cmd.Flags(), &read)
	cmd.Flags().BoolVar(&start, "start", false, "start your $SHELL there, with the environment of the task")
	a.dataFlag(cmd)
	a.outputFlag(cmd, "json")
	return cmd
}

// work is the message of a task; of a step with one task it need not be named.
func (a *app) work(ctx context.Context, r *deed.Runtime, given, address string, index int) (task.Work, error) {
	s, err := a.find(ctx, r, given)
	if err != nil {
		return task.Work{}, err
	}
	steps := s.Steps()
	at := slices.IndexFunc(steps, func(p process.Progress) bool { return p.Address == address })
	if at >= 0 && index < 0 && steps[at].Phase != "waiting" {
		if steps[at].Tasks != 1 {
			return task.Work{}, usagef("%s has %s: say which, such as %s[0]", address, amount.Of(steps[at].Tasks, "task"), address)
		}
		index = 0
	}
	w, err := process.MessageAgain(s, address, max(index, 0))
	if err != nil {
		err = &notFoundError{err.Error()}
	}
	return w, err
}

func (a *app) atTerminal() bool {
	f, ok := a.stdin.(*os.File)
	return ok && term.IsTerminal(int(f.Fd()))
}

// startShell lets a person work there; how his shell ends is nobody's failure.
func (a *app) startShell(ctx context.Context, l layout) error {
	// Ctrl-C is for what runs in the shell, not for the shell.
	cmd := exec.CommandContext(context.WithoutCancel(ctx), cmp.Or(os.Getenv("SHELL"), "/bin/sh"))
	cmd.Dir, cmd.Env = cmp.Or(l.Work, l.Dir), slices.Clone(l.Env)
	for name := range l.Secrets {
		if value, set := os.LookupEnv(name); set {
			cmd.Env = append(cmd.Env, name+"="+value)
		}
	}
	cmd.Stdin, cmd.Stdout, cmd.Stderr = a.stdin, a.stdout, a.stderr
	var exited *exec.ExitError
	if err := cmd.Run(); err != nil && !errors.As(err, &exited) {
		return fmt.Errorf("start a shell in %s: %w", cmd.Dir, err)
	}
	return nil
}

// layout is a task in a directory, and what it does there.
type layout struct {
	*worker.Workspace
	work task.Work
}

func (l layout) script() string { return filepath.Join(l.Dir, "run.sh") }
