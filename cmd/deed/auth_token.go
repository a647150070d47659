package main

import (
	"context"
	"fmt"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/deedrun/deed"
	"github.com/deedrun/deed/api/wire"
	"github.com/deedrun/deed/internal/upkeep"
)

func (a *app) authToken() *cobra.Command {
	cmd := &cobra.Command{
		Use:   "token",
		Short: "Issue, list and revoke the tokens of the API",
		Args:  cobra.NoArgs,
		RunE:  func(cmd *cobra.Command, _ []string) error { return cmd.Help() },
	}
	for _, c := range []*cobra.Command{a.authTokenCreate(), a.authTokenList(), a.authTokenRevoke()} {
		a.dataFlag(c)
		cmd.AddCommand(c)
	}
	return cmd
}

func (a *app) authTokenList() *cobra.Command {
	every := false
	cmd := &cobra.Command{
		Use:   "ls",
		Short: "List the tokens that open something",
		Args:  cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			var tokens []wire.Token
			err := a.attached(cmd.Context(), func(ctx context.Context, r *deed.Runtime) (err error) {
				tokens, err = upkeep.Of(r).Tokens(ctx)
				return err
			})
			if err != nil {
				return err
			}
			shown := []wire.Token{}
			rows := [][]string{{"ID", "NAME", "ROLE", "PROCESSES", "EXPIRES", "ISSUED", "BY", "STATUS"}}
			for _, t := range tokens {
				if t.Status != "active" && !every {
					continue
				}
				shown = append(shown, t)
				processes, ends, status := "all", "never", t.Status
				if len(t.Processes) > 0 {
					processes = strings.Join(t.Processes, ",")
				}
				if !t.Expires.IsZero() {
					ends = t.Expires.Local().Format(time.DateTime)
				}
				if t.RevokedBy != "" {
					status += " by " + t.RevokedBy
				}
				rows = append(rows, []string{t.ID, t.Name, string(t.Role), processes, ends, t.At.Local().Format(time.DateTime), orDash(t.By), status})
			}
			switch {
			case a.output == "json":
				return a.printJSON(shown)
			case len(shown) == 0:
				fmt.Fprintln(a.stderr, "there is no token")
				return nil
			}
			return a.table(rows)
		},
	}
	cmd.Flags().BoolVar(&every, "all", false, "list those that were revoked or have expired, too")
	a.outputFlag(cmd, "json")
	return cmd
}

func (a *app) authTokenRevoke() *cobra.Command {
	return &cobra.Command{
		Use:   "revoke {ID | NAME}",
		Short: "Make a token open nothing any more",
		Long: `Revoke takes effect at once: every server refuses the token, and ends what is being
watched with it. A server that cannot reach the event store refuses all tokens
after half a minute.`,
		Args: exactly("ID or NAME"),
		RunE: func(cmd *cobra.Command, args []string) error {
			var revoked wire.Token
			err := a.attached(cmd.Context(), func(ctx context.Context, r *deed.Runtime) error {
				at := upkeep.Of(r)
				tokens, err := at.Tokens(ctx)
				if err != nil {
					return err
				}
				id, err := findToken(tokens, args[0])
				if err != nil {
					return err
				}
				known := false
				if revoked, known, err = at.RevokeToken(ctx, id, person()); err == nil && !known {
					err = noToken(args[0])
				}
				return err
			})
			if err != nil {
				return err
			}
			_, err = fmt.Fprintln(a.stdout, printable(fmt.Sprintf("revoked token %s of %s", revoked.ID, revoked.Name)))
			return err
		},
	}
}

// findToken is the ID of the one token that a person means.
func findToken(tokens []wire.Token, said string) (string, error) {
	var found []string
	for _, t := range tokens {
		if t.ID == said {
			return t.ID, nil
		}
		if t.Name == said && t.Status == "active" {
			found = append(found, t.ID)
		}
	}
	switch len(found) {
	case 0:
		return "", noToken(said)
	case 1:
		return found[0], nil
	}
	return "", usagef("%s has several tokens: %s; name one by its ID", said, strings.Join(found, ", "))
}

func noToken(said string) error {
	return &notFoundError{fmt.Sprintf("there is no token %q; `%s auth token ls` lists them", said, program())}
}
