package main

import (
	"context"
	"fmt"
	"strings"
	"time"
	"unicode"

	"github.com/spf13/cobra"

	"github.com/deedrun/deed"
	"github.com/deedrun/deed/api/wire"
	"github.com/deedrun/deed/internal/upkeep"
	"github.com/deedrun/deed/orchestrator"
	"github.com/deedrun/deed/orchestrator/process"
	"github.com/deedrun/deed/task"
)

func (a *app) retention() *cobra.Command {
	cmd := &cobra.Command{
		Use:   "retention",
		Short: "Say how long ended processes stay in the event store",
		Long: `The settings say after which time the ended processes of a definition are archived,
and after which time their archives are removed for good. Whoever serves the folder
does so by himself, when it starts and every hour; deed archive --due does it at once.

They are events of the folder, with who set them and when.`,
		Example: "  deed retention set word-count --archive-after 30d --remove-after 1y\n  deed retention set '*' --archive-after 90d\n  deed retention ls\n  deed retention rm word-count",
		Args:    cobra.NoArgs,
		RunE:    func(cmd *cobra.Command, _ []string) error { return cmd.Help() },
	}
	for _, c := range []*cobra.Command{a.retentionList(), a.retentionSet(), a.retentionRemove()} {
		a.dataFlag(c)
		cmd.AddCommand(c)
	}
	return cmd
}

func (a *app) retentionList() *cobra.Command {
	cmd := &cobra.Command{
		Use:   "ls",
		Short: "List the settings",
		Args:  cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			var all []orchestrator.Retention
			err := a.attached(cmd.Context(), func(ctx context.Context, r *deed.Runtime) (err error) {
				all, err = orchestrator.Retentions(ctx, r.Events)
				return err
			})
			if err != nil {
				return err
			}
			if a.output == "json" {
				return a.printJSON(all)
			}
			if len(all) == 0 {
				fmt.Fprintln(a.stderr, "nothing is set: all processes stay in the event store")
				return nil
			}
			rows := [][]string{{"NAME", "ARCHIVED AFTER", "REMOVED AFTER", "SET", "BY", "WHY"}}
			for _, r := range all {
				removed := "never"
				if r.RemoveAfter > 0 {
					removed = orchestrator.Age(r.RemoveAfter).String()
				}
				rows = append(rows, []string{r.Name, orchestrator.Age(r.ArchiveAfter).String(), removed, r.At.Local().Format(time.DateTime), r.By, r.Reason})
			}
			return a.table(rows)
		},
	}
	a.outputFlag(cmd, "json")
	return cmd
}

func (a *app) retentionSet() *cobra.Command {
	var archive, remove, reason string
	cmd := &cobra.Command{
		Use:   "set NAME --archive-after AGE [--remove-after AGE]",
		Short: "Set how long the processes of a definition stay; '*' is for all that have no setting",
		Args:  exactly("NAME"),
		RunE: func(cmd *cobra.Command, args []string) error {
			if args[0] == "" || strings.ContainsFunc(args[0], unicode.IsControl) {
				return usagef("%q is no name of a definition; give one, or '*' for all that have no setting", args[0])
			}
			set := orchestrator.Retention{Name: args[0], Asked: process.Asked{By: person(), Reason: reason}, At: time.Now()}
			for _, age := range []struct {
				flag, text string
				into       *task.Duration
			}{{"--archive-after", archive, &set.ArchiveAfter}, {"--remove-after", remove, &set.RemoveAfter}} {
				if age.text == "" {
					continue
				}
				d, err := orchestrator.ParseAge(age.text)
				if err != nil || d == 0 {
					return usagef("%s %q: give a time such as 30d, 1y or 12h", age.flag, age.text)
				}
				*age.into = task.Duration(d)
			}
			if set.ArchiveAfter == 0 {
				return usagef("give --archive-after AGE, such as 30d")
			}
			err := a.attached(cmd.Context(), func(ctx context.Context, r *deed.Runtime) error {
				return upkeep.Of(r).SetRetention(ctx, set)
			})
			if err != nil {
				return err
			}
			text := fmt.Sprintf("processes of %s are archived %s after their end", set.Name, orchestrator.Age(set.ArchiveAfter))
			if set.RemoveAfter > 0 {
				text += fmt.Sprintf(", and removed %s after that", orchestrator.Age(set.RemoveAfter))
			}
			_, err = fmt.Fprintln(a.stdout, printable(text))
			return err
		},
	}
	flags := cmd.Flags()
	flags.StringVar(&archive, "archive-after", "", "archive `AGE` after the end, such as 30d, 1y or 12h")
	flags.StringVar(&remove, "remove-after", "", "remove the archive for good `AGE` after it was made (default: never)")
	reasonFlag(cmd, &reason)
	return cmd
}

func (a *app) retentionRemove() *cobra.Command {
	var reason string
	cmd := &cobra.Command{
		Use:   "rm NAME",
		Short: "Take a setting back",
		Args:  exactly("NAME"),
		RunE: func(cmd *cobra.Command, args []string) error {
			known := false
			err := a.attached(cmd.Context(), func(ctx context.Context, r *deed.Runtime) error {
				there, err := upkeep.Of(r).UnsetRetention(ctx, args[0], wire.Asked{By: person(), Reason: reason})
				known = known || there
				return err
			})
			switch {
			case err != nil:
				return err
			case !known:
				return &notFoundError{fmt.Sprintf("there is no setting for %q; `%s retention ls` lists them", args[0], program())}
			}
			_, err = fmt.Fprintln(a.stdout, printable("the setting of "+args[0]+" is taken back"))
			return err
		},
	}
	reasonFlag(cmd, &reason)
	return cmd
}
