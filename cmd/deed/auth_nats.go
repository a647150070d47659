package main

import (
	"fmt"
	"path/filepath"

	"github.com/spf13/cobra"

	"github.com/deedrun/deed/internal/natsaccounts"
	"github.com/deedrun/deed/orchestrator/definition"
)

func (a *app) authNATS() *cobra.Command {
	var folder natsaccounts.Folder
	var pools []string
	cmd := &cobra.Command{
		Use:   "nats --out DIR",
		Short: "Make the keys by which roles are known to NATS servers, and what each may do",
		Long: `Nats writes into a folder a key for each role, in a file that only you can read, and
nats-accounts.conf, which the configuration of each nats-server includes. It says
what each role may do there: workers take the tasks of their pool and report, and
can neither submit, nor read or write events, nor hear what is answered to others.

Keys that are there are kept, so that the same again with another --pool adds one.
With --replace every role gets a new key, and the former one counts beside it until
--drop-former ends it. Nothing is sent anywhere.`,
		Example: "  deed auth nats --out nats\n  deed auth nats --out nats --pool gpu\n  deed auth nats --out nats --replace\n  deed auth nats --out nats --drop-former",
		Args:    cobra.NoArgs,
		PreRunE: func(*cobra.Command, []string) error {
			switch {
			case folder.Dir == "":
				return usagef("--out is missing: give the folder for the keys")
			case folder.Replace && folder.Drop:
				return usagef("--replace and --drop-former: first the one, and the other when all roles have their new keys")
			}
			for i, pool := range pools {
				name, err := definition.ParsePool(pool)
				if err != nil {
					return usagef("--pool: %w", err)
				}
				pools[i] = name
			}
			return nil
		},
		RunE: func(*cobra.Command, []string) error {
			changes, err := folder.Write(pools)
			if err != nil {
				return &refusedError{fmt.Sprintf("make keys for NATS: %v", err)}
			}
			return a.sayKeys(folder, changes)
		},
	}
	flags := cmd.Flags()
	flags.StringVar(&folder.Dir, "out", "", "`DIR` for the keys and the accounts")
	flags.StringSliceVar(&pools, "pool", nil, "`NAME` of a pool whose workers get a key of their own; may be repeated")
	flags.BoolVar(&folder.Replace, "replace", false, "make new keys; the former ones count until --drop-former")
	flags.BoolVar(&folder.Drop, "drop-former", false, "end the former keys")
	return cmd
}

// sayKeys lists the files, and says what to do next.
func (a *app) sayKeys(folder natsaccounts.Folder, changes []natsaccounts.Change) error {
	rows := [][]string{}
	for _, c := range changes {
		rows = append(rows, []string{c.What, c.File})
	}
	config := filepath.Join(folder.Dir, natsaccounts.ConfigFile)
	rows = append(rows, []string{"written", config})
	if err := a.table(rows); err != nil {
		return err
	}
	next := fmt.Sprintf(`
Next:
 1. In the configuration of each nats-server:  include %q
    (a path is relative to that file). Then have them read it again:
    nats-server --signal reload=PID
    (twice for a pool that was added: by the first its user does not reach JetStream yet)
 2. deed serve --nats … --nats-nkey orchestrator.nk
 3. deed worker --nats … --nats-nkey worker.nk, and of a pool its own key
`, natsaccounts.ConfigFile)
	switch {
	case folder.Replace:
		next = `
Next, so that nobody is shut out:
 1. Give the servers the new accounts and have them read these again: both keys count now.
 2. Give each role its new key and start it again.
 3. deed auth nats --out ` + folder.Dir + ` --drop-former, and give the servers the accounts once more.
`
	case folder.Drop:
		next = "\nNext: give the servers the accounts and have them read these again. Who has a former key is cut off then.\n"
	}
	_, err := fmt.Fprint(a.stderr, next)
	return err
}
