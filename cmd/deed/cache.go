package main

import (
	"context"
	"fmt"
	"time"

	"github.com/spf13/cobra"

	"github.com/deedrun/deed"
	"github.com/deedrun/deed/internal/amount"
	"github.com/deedrun/deed/internal/cached"
	"github.com/deedrun/deed/internal/upkeep"
	"github.com/deedrun/deed/task"
)

func (a *app) cache() *cobra.Command {
	cmd := &cobra.Command{
		Use:   "cache",
		Short: "Look into the results that tasks left for later ones, and clear them",
		Long: `A task of a step with "cache: true" leaves its result for later tasks that are equal:
that execute the same, with the same parameters, on the same data, in a process of
the same definition. docs/cache.md tells what that takes in.`,
		Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error { return cmd.Help() },
	}
	cmd.AddCommand(a.cacheExplain(), a.cacheLs(), a.cacheClear())
	return cmd
}

func (a *app) cacheLs() *cobra.Command {
	cmd := &cobra.Command{
		Use:   "ls",
		Short: "List the results that are there for later tasks",
		Args:  cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			entries := []cached.Entry{}
			err := a.attached(cmd.Context(), func(ctx context.Context, r *deed.Runtime) error {
				entries = entries[:0]
				for e, err := range cached.Entries(ctx, r.Blobs.Cache()) {
					if err != nil {
						return err
					}
					entries = append(entries, e)
				}
				return nil
			})
			if err != nil {
				return err
			}
			if a.output == "json" {
				return a.printJSON(entries)
			}
			if len(entries) == 0 {
				fmt.Fprintln(a.stderr, "the cache is empty")
				return nil
			}
			rows := [][]string{{"KEY", "OF", "LEFT BY", "PARTS", "USED"}}
			for _, e := range entries {
				parts := amount.Of(len(e.Parts), "part")
				if e.List != nil {
					parts = "a list of them"
				}
				rows = append(rows, []string{e.Key[:12], executes(e.Ingredients), e.Origin.Task(), parts, e.Used.Local().Format(time.DateTime)})
			}
			return a.table(rows)
		},
	}
	a.dataFlag(cmd)
	a.outputFlag(cmd, "json")
	return cmd
}

// executes is what executes the tasks of an entry.
func executes(all []task.Ingredient) string {
	by := map[string]string{}
	for _, i := range all {
		by[i.Name] = i.Value
	}
	switch {
	case by["version"] != "":
		return by["handler"] + "@" + by["version"]
	case by["handler"] != "":
		return by["handler"]
	case by["command"] != "":
		return shortened(by["command"], 60)
	}
	return "sh: " + shortened(by["script"], 56)
}

func (a *app) cacheClear() *cobra.Command {
	cmd := &cobra.Command{
		Use:   "clear [ID [ADDRESS]]",
		Short: "Take results out of the cache, so that their tasks are executed again",
		Long: `Clear takes all results out of the cache, or those that the tasks of a process left,
or of one of its steps. What other processes took before stays theirs.`,
		Example: "  deed cache clear\n  deed cache clear word-count-x7 count",
		Args:    between("the ID of a process and the ADDRESS of a step", 0, 2),
		RunE: func(cmd *cobra.Command, args []string) error {
			cleared := 0
			err := a.attached(cmd.Context(), func(ctx context.Context, r *deed.Runtime) (err error) {
				var id, address string
				if len(args) > 0 {
					if id, err = a.resolveID(ctx, r, args[0]); err != nil {
						return err
					}
				}
				if len(args) > 1 {
					address = args[1]
				}
				n, err := upkeep.Of(r).ClearCache(ctx, id, address)
				cleared += n
				return err
			})
			if err != nil {
				return err
			}
			fmt.Fprintf(a.stderr, "cleared %s\n", amount.Of(cleared, "result"))
			return nil
		},
	}
	a.dataFlag(cmd)
	return cmd
}
