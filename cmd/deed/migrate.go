package main

import (
	"context"
	"fmt"
	"maps"
	"slices"
	"time"

	"github.com/spf13/cobra"

	"github.com/deedrun/deed"
	"github.com/deedrun/deed/orchestrator/definition"
	"github.com/deedrun/deed/orchestrator/process"
)

func (a *app) migrate() *cobra.Command {
	var reason string
	var params, settings []string
	var dry bool
	cmd := &cobra.Command{
		Use:   "migrate ID FILE",
		Short: "Move a process that has not completed to another version of its definition",
		Long: `Migrate gives a process the definition in FILE. What has completed must be the same
there, or it is refused, with every reason; a step that is running and does something
else now begins anew; what has not begun is planned anew. Steps may come and go.

Parameters keep the values that the process has, unless --param says otherwise; those
that are new have their default. Settings are those of the file and of --set: what deed
run --set or deed set had changed has to be said again. --dry-run shows what would
differ and begin anew, or why it is refused.

` + whichID,
		Example: "  deed migrate @latest process.yaml --dry-run\n  deed migrate word-count-x7 process.yaml --param top=30",
		Args:    between("ID and the FILE of the definition", 2, 2),
		RunE: func(cmd *cobra.Command, args []string) error {
			job := deed.Job{}
			var err error
			if job.Params, err = pairs("--param", params); err != nil {
				return err
			}
			if job.Settings, err = pairs("--set", settings); err != nil {
				return err
			}
			if job.Source, err = parseFile(cmd.Context(), args[1]); err != nil {
				return definitionError(args[1], err)
			}
			if dry {
				return a.planMigration(cmd.Context(), args[0], job)
			}
			g, err := a.ask(cmd.Context(), args[0], reason, func(ctx context.Context, r *deed.Runtime, s process.State, who process.Asked) (process.Command, error) {
				c, err := r.Revision(ctx, s, job)
				if err != nil {
					return nil, definitionError(args[1], err)
				}
				c.Asked = who
				return c, nil
			})
			switch {
			case err != nil:
				return err
			case g.event == nil:
				return a.tell(g, g.after.ID+" has this definition already")
			}
			a.sayKept(g.before, job)
			return a.tell(g, did(g)+a.unserved(g)+":", definition.Diff(*g.before.Definition, *g.after.Definition)...)
		},
	}
	flags := cmd.Flags()
	flags.StringArrayVar(&params, "param", nil, "`NAME=VALUE` of a parameter that is to change")
	flags.StringArrayVar(&settings, "set", nil, "`ADDRESS.SETTING=VALUE`, such as count.timeout=5m")
	flags.BoolVar(&dry, "dry-run", false, "say what would change, and send nothing")
	reasonFlag(cmd, &reason)
	a.dataFlag(cmd)
	a.outputFlag(cmd, "json")
	return cmd
}

// migrationPlan is what a migration would do.
type migrationPlan struct {
	ID      string   `json:"id"`
	Differs []string `json:"differs"`
	Anew    []string `json:"anew"` // running steps that begin anew
}

// planMigration says what a migration would do, from the state that is stored now.
func (a *app) planMigration(ctx context.Context, given string, job deed.Job) error {
	p := migrationPlan{Differs: []string{}, Anew: []string{}}
	err := a.attached(ctx, func(ctx context.Context, r *deed.Runtime) error {
		s, err := a.find(ctx, r, given)
		if err != nil {
			return err
		}
		c, err := r.Revision(ctx, s, job)
		if err != nil {
			return definitionError(job.Source.File, err)
		}
		c.At = time.Now()
		decided, err := process.Decide(s, c)
		if err == nil {
			err = r.Archive.Refusal(ctx, s.ID)
		}
		if err != nil {
			return refusal(s.ID, err)
		}
		p.ID = s.ID
		p.Differs = append(p.Differs, definition.Diff(*s.Definition, c.Definition)...)
		for _, e := range decided {
			if revised, ok := e.(process.ProcessRevised); ok {
				for _, b := range revised.Steps {
					p.Anew = append(p.Anew, b.Address)
				}
			}
		}
		a.sayKept(s, job)
		return nil
	})
	switch {
	case err != nil:
		return err
	case a.output == "json":
		return a.printJSON(p)
	case len(p.Differs) == 0:
		_, err = fmt.Fprintf(a.stdout, "%s has this definition already\n", p.ID)
		return err
	}
	fmt.Fprintf(a.stdout, "a migration of %s (nothing is sent: --dry-run)\n", p.ID)
	for _, d := range p.Differs {
		fmt.Fprintf(a.stdout, "  %s\n", printable(d))
	}
	for _, address := range p.Anew {
		fmt.Fprintf(a.stdout, "%s has begun, does something else now, and would begin anew\n", address)
	}
	return nil
}

// sayKept tells which parameters stay although the file has another default.
func (a *app) sayKept(s process.State, job deed.Job) {
	for _, name := range slices.Sorted(maps.Keys(s.Definition.Params)) {
		was := s.Definition.Params[name]
		for _, p := range job.Source.Params {
			_, given := job.Params[name]
			if p.Name.Value == name && p.Default != nil && !given && string(p.Default) != string(was) {
				fmt.Fprintf(a.stderr, "param %s stays %s; the file says %s: --param %s=… changes it\n", name, was, p.Default, name)
			}
		}
	}
}
