package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"time"

	"github.com/spf13/cobra"

	"github.com/deedrun/deed"
	"github.com/deedrun/deed/api/wire"
	"github.com/deedrun/deed/internal/access"
	"github.com/deedrun/deed/internal/upkeep"
	"github.com/deedrun/deed/orchestrator"
	"github.com/deedrun/deed/task"
)

func (a *app) authTokenCreate() *cobra.Command {
	var wish wire.NewToken
	var role, expires, out string
	cmd := &cobra.Command{
		Use:   "create --name NAME --role ROLE",
		Short: "Issue a token, and print it, once",
		Long: `Create prints the token alone on standard output, or writes it into a file that only
you can read; it is kept nowhere, only a hash of it is. Who has the data folder may
issue tokens there; of a server its admins may.`,
		Example: "  deed auth token create --data /srv/deed --name ada --role admin --out ada.token\n  deed auth token create --name ci --role operator --processes 'team-a-*' --expires 720h",
		Args:    cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			if wish.Name == "" || role == "" {
				return usagef("--name and --role are missing, or one of them: say who will show the token, and whether as viewer, operator or admin")
			}
			wish.Role, wish.By = wire.Role(role), person()
			if expires != "" {
				after, err := orchestrator.ParseAge(expires)
				if err != nil || after <= 0 {
					return usagef("--expires %q: give a time such as 720h, 30d or 1y", expires)
				}
				wish.ExpiresAfter = task.Duration(after)
			}
			if out != "" && a.output == "json" {
				return usagef("--out takes the token alone: leave out -o json")
			}
			if err := a.prepareFolder(); err != nil {
				return err
			}
			into, err := a.openToken(out)
			if err != nil {
				return err
			}
			var issued wire.IssuedToken
			asked := false
			err = a.attached(cmd.Context(), func(ctx context.Context, r *deed.Runtime) (err error) {
				if asked { // asking again would issue another
					return &unservedError{fmt.Sprintf("the server was lost before it answered: whether it issued a token of %s, %#q tells; revoke that one by its ID, and ask again",
						wish.Name, a.commandLine("auth", "token", "ls"))}
				}
				asked = true
				issued, err = upkeep.Of(r).IssueToken(ctx, wish)
				return err
			})
			if err != nil {
				into.discard()
			}
			if invalid := (*access.InvalidError)(nil); errors.As(err, &invalid) {
				return &usageError{err}
			}
			if err != nil {
				return err
			}
			if a.output == "json" {
				return a.printJSON(issued)
			}
			until := "until it is revoked"
			if !issued.Expires.IsZero() {
				until = "until " + issued.Expires.Local().Format(time.DateTime)
			}
			fmt.Fprintf(a.stderr, "token %s of %s: %s of %s, %s; it is shown here once\n",
				issued.ID, printable(issued.Name), issued.Role, printable(processesOf(issued.Processes)), until)
			return into.write(issued.Text)
		},
	}
	flags := cmd.Flags()
	flags.StringVar(&out, "out", "", "new `FILE` for the token, which only you can read (default: standard output)")
	flags.StringVar(&wish.Name, "name", "", "`NAME` of who shows it, which is recorded with what is asked")
	flags.StringVar(&role, "role", "", "what it may do: viewer, operator or admin")
	flags.StringSliceVar(&wish.Processes, "processes", nil, "`PATTERN` of the names of definitions, such as 'team-a-*': no other processes exist for it (repeatable; default: all do)")
	flags.StringVar(&expires, "expires", "", "`AGE` after which it opens nothing any more, such as 720h, 30d or 1y (default: never)")
	a.outputFlag(cmd, "json")
	return cmd
}

// prepareFolder makes the data folder that a command line names: the first token
// is issued before anybody serves it.
func (a *app) prepareFolder() error {
	if _, err := os.Stat(a.data); a.server != "" || !errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	if a.source["data"] == "" { // perhaps a server was meant
		return fmt.Errorf("%w\nwith --data %s it is made, and this is its first token; of a server its admins issue tokens, with --server or a context", &deed.NoFolderError{Dir: a.data}, a.data)
	}
	if err := os.MkdirAll(a.data, 0o700); err != nil {
		return usagef("--data: %w", err)
	}
	fmt.Fprintf(a.stderr, "%s is a new data folder\n", printable(a.data))
	return nil
}

// tokenPlace is where a new token goes: there before it is issued, so that none
// is lost.
type tokenPlace struct {
	io.Writer
	file *os.File // nil: standard output
}

func (a *app) openToken(path string) (*tokenPlace, error) {
	if path == "" {
		return &tokenPlace{Writer: a.stdout}, nil
	}
	f, err := os.OpenFile(path, os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o600)
	if errors.Is(err, fs.ErrExist) {
		return nil, usagef("--out %s: there is such a file, and it may have a token that is in use; name a new one", path)
	}
	if err != nil {
		return nil, usagef("--out: %w", err)
	}
	return &tokenPlace{f, f}, nil
}

func (p *tokenPlace) write(token string) error {
	_, err := fmt.Fprintln(p, token)
	if p.file != nil {
		err = errors.Join(err, p.file.Close())
	}
	return err
}

func (p *tokenPlace) discard() {
	if p.file != nil {
		_ = p.file.Close()
		_ = os.Remove(p.file.Name())
	}
}
