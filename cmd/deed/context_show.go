package main

import (
	"cmp"
	"fmt"
	"os"
	"slices"

	"github.com/spf13/cobra"
)

// inForce is a setting, and what says it.
type inForce struct {
	For   string `json:"for"` // who goes by it: commands or workers
	Name  string `json:"name"`
	Value string `json:"value"`
	From  string `json:"from"`
}

func (a *app) contextShow() *cobra.Command {
	cmd := &cobra.Command{
		Use:   "show [NAME]",
		Short: "Say where deed is, and what says so",
		Long: `Show says where commands and workers go when they are told nothing, and whether the
environment, a context or nobody says so. With NAME it shows what that context says.`,
		Args: between("NAME of a context, or nothing", 0, 1),
		RunE: func(_ *cobra.Command, args []string) error {
			if len(args) == 1 {
				return a.showContext(args[0])
			}
			commands, err := a.inForce("commands")
			if err != nil {
				return err
			}
			workers, err := a.inForce("workers", "nats", "blobs")
			if err != nil {
				fmt.Fprintf(a.stderr, "for workers: %s\n", printable(err.Error()))
			}
			return a.printInForce(append(commands, workers...))
		},
	}
	a.outputFlag(cmd, "json")
	return cmd
}

// inForce is what holds for a command with the flags that all have that ask, or
// with those of a role.
func (a *app) inForce(who string, roleFlags ...string) ([]inForce, error) {
	at := &app{stderr: a.stderr}
	probe := &cobra.Command{Use: "worker"}
	if len(roleFlags) == 0 {
		at.dataFlag(probe)
	} else {
		at.folderFlag(probe)
		for _, name := range roleFlags {
			probe.Flags().String(name, "", "")
		}
	}
	if err := at.fill(probe); err != nil {
		return nil, err
	}
	var all []inForce
	for _, name := range []string{"context", "server", "token-file", "ca-file", "data", "nats", "blobs", "events"} {
		f := probe.Flags().Lookup(name)
		if f == nil || f.Value.String() == "" || name == "data" && !f.Changed && isElsewhere(probe) {
			continue
		}
		if slices.Contains(lockFlagNames, name) && at.server == "" {
			continue // there is nobody to show it to
		}
		all = append(all, inForce{who, name, shownSetting(setting{name, f.Value.String()}), cmp.Or(at.source[name], "default")})
	}
	if at.server != "" && os.Getenv(tokenVariable) != "" {
		all = append(all, inForce{who, "token", "…", tokenVariable})
	}
	return all, nil
}

// isElsewhere reports whether another flag than --data says where deed is.
func isElsewhere(cmd *cobra.Command) bool {
	return cmd.Flags().Changed("server") || cmd.Flags().Changed("nats")
}

func (a *app) showContext(name string) error {
	path, err := configFile()
	if err != nil {
		return err
	}
	c, err := readConfig(path)
	if err != nil {
		return err
	}
	p, err := c.context(name, path)
	if err != nil {
		return err
	}
	shown := p.hidden()
	if a.output == "json" {
		return a.printJSON(contextJSON{name, name == c.Current, shown})
	}
	rows := [][]string{{"SETTING", "VALUE"}}
	for _, s := range shown.settings() {
		rows = append(rows, []string{s.name, s.value})
	}
	return a.table(rows)
}

func (a *app) printInForce(all []inForce) error {
	if a.output == "json" {
		return a.printJSON(all)
	}
	rows := [][]string{{"FOR", "SETTING", "VALUE", "FROM"}}
	for _, s := range all {
		rows = append(rows, []string{s.For, s.Name, s.Value, s.From})
	}
	return a.table(rows)
}
