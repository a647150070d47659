package main

import (
	"context"
	"fmt"
	"strings"

	"github.com/spf13/cobra"

	"github.com/deedrun/deed"
	"github.com/deedrun/deed/api/wire"
	"github.com/deedrun/deed/internal/upkeep"
)

func (a *app) auth() *cobra.Command {
	cmd := &cobra.Command{
		Use:   "auth",
		Short: "Say who may do what",
		Long: `Tokens are for people and programs that ask a server by its API. Each has a role:
a viewer reads, an operator submits and supervises, too, and an admin may do
everything; and it may be for the processes of some definitions alone.`,
		Example: "  deed auth token create --data /srv/deed --name ada --role admin\n  deed auth token create --name ci --role operator --processes 'team-a-*' --expires 720h\n  deed auth token ls\n  deed auth token revoke ci\n  deed auth whoami",
		Args:    cobra.NoArgs,
		RunE:    func(cmd *cobra.Command, _ []string) error { return cmd.Help() },
	}
	cmd.AddCommand(a.authToken(), a.authWhoAmI(), a.authNATS())
	return cmd
}

func (a *app) authWhoAmI() *cobra.Command {
	cmd := &cobra.Command{
		Use:   "whoami",
		Short: "Say who the server takes you for, and what you may do",
		Args:  cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			var who wire.Principal
			err := a.attached(cmd.Context(), func(ctx context.Context, r *deed.Runtime) (err error) {
				who, err = upkeep.Of(r).WhoAmI(ctx)
				return err
			})
			if err != nil {
				return err
			}
			if a.output == "json" {
				return a.printJSON(who)
			}
			text := "you, without a token"
			if who.Name != "" {
				text = fmt.Sprintf("%s (token %s)", who.Name, who.Token)
			}
			_, err = fmt.Fprintln(a.stdout, printable(fmt.Sprintf("%s: %s of %s at %s", text, who.Role, processesOf(who.Processes), a.where())))
			return err
		},
	}
	a.outputFlag(cmd, "json")
	a.dataFlag(cmd)
	return cmd
}

// processesOf says in words which processes exist for somebody.
func processesOf(patterns []string) string {
	if len(patterns) == 0 {
		return "all processes"
	}
	return "the processes of " + strings.Join(patterns, ", ")
}
