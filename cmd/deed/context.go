package main

import (
	"fmt"
	"maps"
	"slices"

	"github.com/spf13/cobra"
)

func (a *app) contexts() *cobra.Command {
	cmd := &cobra.Command{
		Use:   "context",
		Short: "Name the places where deed is, and choose one",
		Long: `A context is a name for a place where deed is: a server, a folder, or, for workers,
queues and blobs. The current one is used wherever nothing else is said. What says
it nearer counts, alone: a flag, then an environment variable, then the context.

They are kept in $XDG_CONFIG_HOME/deed/config.yaml, or ~/.config/deed/config.yaml,
which only you can read.`,
		Example: "  deed context add prod --server http://127.0.0.1:8420\n  deed context use prod\n  deed context ls\n  deed ps --context prod",
		Args:    cobra.NoArgs,
		RunE:    func(cmd *cobra.Command, _ []string) error { return cmd.Help() },
		// These commands are about places; they are not at one.
		PersistentPreRunE: func(*cobra.Command, []string) error { return nil },
	}
	cmd.AddCommand(a.contextAdd(), a.contextUse(), a.contextList(), a.contextShow(), a.contextRemove())
	return cmd
}

func (a *app) contextAdd() *cobra.Command {
	var p place
	var replace, use bool
	cmd := &cobra.Command{
		Use:   "add NAME {--server URL | --data DIR | --nats URL --blobs URL}",
		Short: "Give a place a name",
		Long: `Add keeps a place under a name. A server is for what people ask; --nats and --blobs
are for workers, and may stand beside it. The same again changes nothing.`,
		Example: "  deed context add prod --server http://127.0.0.1:8420 --nats nats://10.0.0.1:4222 --blobs file:///mnt/blobs\n  deed context add far --server https://deed.example.org:8420 --token-file ~/.config/deed/far.token --ca-file ca.pem\n  deed context add night --data /srv/deed --use",
		Args:    exactly("NAME"),
		RunE: func(_ *cobra.Command, args []string) error {
			name := args[0]
			if err := checkContextName(name); err != nil {
				return err
			}
			if err := p.check(); err != nil {
				return err
			}
			at, err := p.absolute()
			if err != nil {
				return err
			}
			err = changeConfig(func(c *config, _ string) error {
				if there, ok := c.Contexts[name]; ok && there != at && !replace {
					return &refusedError{fmt.Sprintf("context %s is there already, and is another place: %s; --replace replaces it", name, there)}
				}
				c.Contexts[name] = at
				if use {
					c.Current = name
				}
				return nil
			})
			if err != nil {
				return err
			}
			text := fmt.Sprintf("context %s: %s", name, at)
			if use {
				text += "; it is the current one"
			}
			_, err = fmt.Fprintln(a.stdout, printable(text))
			return err
		},
	}
	flags := cmd.Flags()
	flags.StringVar(&p.Server, "server", "", "`URL` of the API of `deed serve` or `deed up`")
	flags.StringVar(&p.TokenFile, "token-file", "", "`FILE` with the token to show to the server; the file is read each time")
	flags.StringVar(&p.CAFile, "ca-file", "", "`FILE` with the authority of the certificate of the server (PEM), if it is one of your own")
	flags.StringVar(&p.Data, "data", "", "`DIR`, a data folder on this machine")
	flags.StringVar(&p.Nats, "nats", "", "`URL` of the NATS server with the queues, for workers")
	flags.StringVar(&p.NatsNkey, "nats-nkey", "", "`FILE` with the nkey of the role that goes there, as deed auth nats makes it")
	flags.StringVar(&p.NatsCreds, "nats-creds", "", "`FILE` with credentials of NATS, a JWT and its key, instead")
	flags.StringVar(&p.NatsCA, "nats-ca", "", "`FILE` with the certificate of who signed that of the NATS server")
	flags.StringVar(&p.Blobs, "blobs", "", "`URL` of the blob store that belongs to it")
	flags.StringVar(&p.Events, "events", "", "`URL` of an event store elsewhere, such as esdb://user:password@host:2113")
	flags.BoolVar(&replace, "replace", false, "replace the place that has the name")
	flags.BoolVar(&use, "use", false, "make it the current one, too")
	return cmd
}

func (a *app) contextUse() *cobra.Command {
	none := false
	cmd := &cobra.Command{
		Use:     "use {NAME | --none}",
		Short:   "Make a context the current one",
		Example: "  deed context use prod\n  deed context use --none",
		Args: func(_ *cobra.Command, args []string) error {
			if (len(args) == 1) == none || len(args) > 1 {
				return fmt.Errorf("give one NAME, or --none")
			}
			return nil
		},
		RunE: func(_ *cobra.Command, args []string) error {
			text := "no context is current: where nothing else is said, it is the folder " + defaultData
			err := changeConfig(func(c *config, path string) error {
				if c.Current = ""; none {
					return nil
				}
				p, err := c.context(args[0], path)
				c.Current = args[0]
				text = fmt.Sprintf("context %s is the current one: %s", args[0], p)
				return err
			})
			if err != nil {
				return err
			}
			_, err = fmt.Fprintln(a.stdout, printable(text))
			return err
		},
	}
	cmd.Flags().BoolVar(&none, "none", false, "have no current one")
	return cmd
}

// contextJSON is what `context ls -o json` prints of each.
type contextJSON struct {
	Name    string `json:"name"`
	Current bool   `json:"current"`
	place
}

func (a *app) contextList() *cobra.Command {
	cmd := &cobra.Command{
		Use:   "ls",
		Short: "List the contexts",
		Args:  cobra.NoArgs,
		RunE: func(*cobra.Command, []string) error {
			path, err := configFile()
			if err != nil {
				return err
			}
			c, err := readConfig(path)
			if err != nil {
				return err
			}
			all := []contextJSON{}
			rows := [][]string{{"", "NAME", "SERVER", "DATA", "NATS", "BLOBS", "EVENTS"}}
			for _, name := range slices.Sorted(maps.Keys(c.Contexts)) {
				shown := c.Contexts[name].hidden()
				all = append(all, contextJSON{name, name == c.Current, shown})
				mark := map[bool]string{true: "*", false: ""}[name == c.Current]
				rows = append(rows, []string{mark, name, orDash(shown.Server), orDash(shown.Data), orDash(shown.Nats), orDash(shown.Blobs), orDash(shown.Events)})
			}
			switch {
			case a.output == "json":
				return a.printJSON(all)
			case len(all) == 0:
				fmt.Fprintf(a.stderr, "there is no context in %s\n", path)
				return nil
			}
			return a.table(rows)
		},
	}
	a.outputFlag(cmd, "json")
	return cmd
}

func orDash(text string) string {
	if text == "" {
		return "-"
	}
	return text
}

func (a *app) contextRemove() *cobra.Command {
	return &cobra.Command{
		Use:   "remove NAME",
		Short: "Forget a context; the place stays as it is",
		Args:  exactly("NAME"),
		RunE: func(_ *cobra.Command, args []string) error {
			text := "context " + args[0] + " is removed"
			err := changeConfig(func(c *config, path string) error {
				if _, err := c.context(args[0], path); err != nil {
					return err
				}
				delete(c.Contexts, args[0])
				if c.Current == args[0] {
					c.Current = ""
					text += "; it was the current one, now none is"
				}
				return nil
			})
			if err != nil {
				return err
			}
			_, err = fmt.Fprintln(a.stdout, printable(text))
			return err
		},
	}
}
