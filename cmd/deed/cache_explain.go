package main

import (
	"context"
	"fmt"
	"strings"

	"github.com/spf13/cobra"

	"github.com/deedrun/deed"
	"github.com/deedrun/deed/internal/cached"
	"github.com/deedrun/deed/orchestrator/definition"
)

func (a *app) cacheExplain() *cobra.Command {
	var read []string
	cmd := &cobra.Command{
		Use:   "explain ID ADDRESS[INDEX] [OTHER]",
		Short: "Say why a task was executed, or whose result it took",
		Long: `Explain compares a task with the one of process OTHER that is about the same file or
key, and says in which ingredient of their results they differ. Without OTHER that is
the task whose result it took, or else the one of the process of the same definition
that started last before it.

` + whichID,
		Example: "  deed cache explain @latest 'count[17]'\n  deed cache explain nightly-22 'count[17]' nightly-21",
		Args:    between("ID, the ADDRESS[INDEX] of a task and maybe the ID of an OTHER process", 2, 3),
		RunE: func(cmd *cobra.Command, args []string) error {
			address, index, err := parseTask(args[1])
			if err != nil {
				return err
			}
			var told *cached.Explanation
			err = a.attachedWith(cmd.Context(), deed.Options{Read: read}, func(ctx context.Context, r *deed.Runtime) error {
				w, err := a.work(ctx, r, args[0], address, index)
				if err != nil {
					return err
				}
				other := ""
				if len(args) > 2 {
					if other, err = a.resolveID(ctx, r, args[2]); err != nil {
						return err
					}
				}
				told, err = cached.Explain(ctx, r, w.Process, address, w.Tasks[0].First, other)
				return err
			})
			if err != nil {
				return err
			}
			if a.output == "json" {
				return a.printJSON(told)
			}
			a.tellCache(told)
			return nil
		},
	}
	readFlag(cmd.Flags(), &read)
	a.dataFlag(cmd)
	a.outputFlag(cmd, "json")
	return cmd
}

func (a *app) tellCache(e *cached.Explanation) {
	say := func(format string, args ...any) { fmt.Fprintln(a.stdout, printable(fmt.Sprintf(format, args...))) }
	t := e.Task
	name := fmt.Sprintf("%s[%d] of %s", t.Address, t.Index, t.Process)
	if t.Element != "" {
		name += fmt.Sprintf(" (%s)", t.Element)
	}
	switch {
	case t.Reused != nil:
		say("%s took the result of %s", name, t.Reused.Attempt)
	case t.Cache == "":
		say("%s is executed always: its step has no `cache: true`", name)
	case !t.Done:
		say("%s is not done yet", name)
	case t.Cache == definition.CacheRefresh:
		say("%s was executed, since the process was started with --no-cache", name)
	default:
		say("%s was executed", name)
	}
	if e.Other == nil {
		say("there is no earlier task to compare it with")
		return
	}
	o := e.Other
	say("compared with %s[%d] of %s%s:", o.Address, o.Index, o.Process, map[bool]string{true: "", false: ", whose step has no `cache: true`"}[o.Cache != ""])
	for _, d := range e.Differs {
		say("  %s: %s", d.Ingredient, d.What)
	}
	if len(e.Differs) == 0 {
		say("  nothing differs%s", a.whyNevertheless(e))
	}
	if len(e.Same) > 0 {
		say("the same: %s", strings.Join(e.Same, ", "))
	}
}

// whyNevertheless says why a task may have been executed to which another is equal.
func (a *app) whyNevertheless(e *cached.Explanation) string {
	switch {
	case e.Task.Reused != nil || e.Task.Cache != definition.CacheUse || !e.Task.Done:
		return ""
	case e.Other.Cache == "":
		return ", and the other one left no result"
	case !e.Task.Left:
		return ", and there is no result in the cache any more"
	}
	return ": the other one was not done by then, or what it had left could not be used"
}
