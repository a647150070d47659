package main

import (
	"context"
	"fmt"
	"path/filepath"

	"github.com/spf13/cobra"

	"github.com/deedrun/deed"
	"github.com/deedrun/deed/orchestrator/process"
)

// goOn is what the commands share that make a process go (again): resume,
// retry, restart.
type goOn struct {
	reason, out  string
	secrets      string
	read         []string
	workers      int
	detach, wait bool
}

const whereItGoesOn = `If somebody serves the folder, the process goes on there, and the command returns
(--wait stays until the end). If nobody does, it goes on here: as with deed run,
you see its progress and get its outputs (--detach only records the wish).`

func (o *goOn) flags(a *app, cmd *cobra.Command) {
	flags := cmd.Flags()
	flags.StringVar(&o.out, "out", "", "directory or `URL` for the outputs (default out/<id>)")
	flags.IntVar(&o.workers, "workers", 0, "tasks at a time, if it goes on here (default: one a core)")
	secretsFlag(flags, &o.secrets)
	readFlag(flags, &o.read)
	flags.BoolVar(&o.wait, "wait", false, "stay and work until the process has ended, even if somebody else serves the folder")
	flags.BoolVar(&o.detach, "detach", false, "return at once, even if nobody serves the folder")
	reasonFlag(cmd, &o.reason)
	a.dataFlag(cmd)
	a.outputFlag(cmd, "json")
}

// again makes a process go on, here or where it is served. already says what
// it means that there was nothing to do.
func (o *goOn) again(ctx context.Context, a *app, given, already string, wish wish) error {
	switch {
	case o.workers < 0:
		return usagef("--workers %d: give 1 or more", o.workers)
	case o.wait && o.detach:
		return usagef("--wait stays and --detach does not; give one")
	}
	g, err := a.ask(ctx, given, o.reason, wish)
	if err != nil {
		return err
	}
	id, text := g.after.ID, ""
	if g.event != nil {
		text = did(g)
	} else {
		text = fmt.Sprintf("%s %s", id, already)
	}
	here := o.wait || !g.served && !o.detach
	switch {
	case g.after.Status == process.Paused:
		return a.tell(g, text+"; it is paused"+since(g.after)+": "+a.commandLine("resume", id)+" makes it go on")
	case !here && !g.served:
		return a.tell(g, fmt.Sprintf("%s; nobody serves %s, so nothing runs yet: %s goes on with it", text, a.where(), a.commandLine("resume", id)))
	case !here:
		return a.tell(g, text+"; it goes on where it is served")
	}
	fmt.Fprintln(a.stderr, printable(text))
	if o.out == "" {
		o.out = filepath.Join("out", id)
	}
	resume := []string{"resume", id, "--out", o.out}
	if o.secrets != "" {
		resume = append(resume, "--secrets", o.secrets)
	}
	for _, place := range o.read {
		resume = append(resume, "--read", place)
	}
	return a.attend(ctx, attendance{
		id: id, out: o.out, workers: o.workers, secrets: o.secrets, read: o.read,
		resume: a.commandLine(resume...), collect: a.commandLine("wait", id, "--out", o.out),
	})
}

func (a *app) resume() *cobra.Command {
	var o goOn
	cmd := &cobra.Command{
		Use:   "resume ID",
		Short: "Make a paused process go on, or one that was interrupted",
		Long: `Resume ends a pause. A process that is not paused, and whose run was interrupted
or killed, goes on too.

` + whereItGoesOn + "\n\n" + whichID,
		Example: "  deed resume @latest",
		Args:    exactly("ID"),
		RunE: func(cmd *cobra.Command, args []string) error {
			return o.again(cmd.Context(), a, args[0], "is not paused", func(_ context.Context, _ *deed.Runtime, _ process.State, who process.Asked) (process.Command, error) {
				return process.ResumeProcess{Asked: who}, nil
			})
		},
	}
	o.flags(a, cmd)
	return cmd
}
